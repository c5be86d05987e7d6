#include "api/gpu_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "api/metrics.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GpuMetricsTest : public ::testing::Test {
 protected:
  ~GpuMetricsTest() override { unsetenv("JIKJI_MOCK_NVML"); }
  static void Set(const char* what) { setenv("JIKJI_MOCK_NVML", what, 1); }

  static std::shared_ptr<GpuMetrics> Watch(const std::vector<size_t>& gpus) {
    auto monitor = measure::GpuMonitor::Open(JIKJI_MOCK_NVML_LIBRARY);
    EXPECT_TRUE(monitor) << (monitor ? "" : monitor.error().ToString());
    return std::make_shared<GpuMetrics>(std::move(*monitor), gpus);
  }
  std::string Text(const GpuMetrics* gpu) const { return metrics_->Text({}, {}, gpu); }
  // Requests that ended so far.
  void End(int requests) {
    const auto observer = Metrics::MakeObserver(metrics_);
    for (int i = 0; i < requests; ++i) observer.finished({}, FinishReason::kStop, 1, 1);
  }

  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>("fake", 100);
};

TEST_F(GpuMetricsTest, TellWattsClocksAndEnergyOfARequest) {
  const auto gpu = Watch({0});
  const std::string labels = R"({uuid="GPU-0f1f2f3f-4f5f-6f7f-8f9f-afbfcfdfefff",gpu="Mock GPU"} )";
  const std::string before = Text(gpu.get());
  for (const char* line :
       {"gpu_up", "gpu_power_watts", "gpu_power_limit_watts", "gpu_energy_joules_total",
        "gpu_sm_clock_mhz", "gpu_memory_clock_mhz", "gpu_memory_used_bytes",
        "gpu_temperature_celsius", "gpu_uncorrected_errors_total"}) {
    EXPECT_THAT(before, HasSubstr("\njikji:" + std::string(line) + labels)) << line;
  }
  EXPECT_THAT(before, HasSubstr("jikji:gpu_up" + labels + "1\n"));
  EXPECT_THAT(before, HasSubstr("jikji:gpu_power_watts" + labels + "123.456\n"));
  EXPECT_THAT(before, Not(HasSubstr("joules_per_request")));  // no request has ended
  Set("later");
  End(4);
  EXPECT_THAT(Text(gpu.get()), HasSubstr("jikji:gpu_joules_per_request" + labels + "75\n"));
  EXPECT_THAT(Text(nullptr), Not(HasSubstr("jikji:gpu")));
}

TEST_F(GpuMetricsTest, WhatIsNotToldIsLeftOut) {
  const auto less = Watch({1});
  End(1);
  EXPECT_THAT(Text(less.get()), HasSubstr(R"(gpu="Mock GPU that tells less"} 1)"));
  EXPECT_THAT(Text(less.get()), Not(HasSubstr("jikji:gpu_power")));
  EXPECT_THAT(Text(less.get()), Not(HasSubstr("joules")));
  const auto both = Text(Watch({0, 1}).get());
  EXPECT_THAT(both, HasSubstr(R"(gpu="Mock GPU"} 1)"));
  EXPECT_THAT(both, HasSubstr(R"(gpu="Mock GPU that tells less"} 1)"));
  EXPECT_EQ(both.find("# TYPE jikji:gpu_up"), both.rfind("# TYPE jikji:gpu_up")) << both;
  const auto lost = Watch({0});
  Set("lost");
  EXPECT_THAT(Text(lost.get()), HasSubstr(R"(gpu="Mock GPU"} 0)"));
  EXPECT_THAT(Text(lost.get()), Not(HasSubstr("jikji:gpu_power")));
}

}  // namespace
}  // namespace jikji
