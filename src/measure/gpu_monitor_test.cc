#include "measure/gpu_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace jikji::measure {
namespace {

using ::testing::HasSubstr;

class GpuMonitorTest : public ::testing::Test {
 protected:
  ~GpuMonitorTest() override { unsetenv("JIKJI_MOCK_NVML"); }

  static void GoWrong(const char* how) { setenv("JIKJI_MOCK_NVML", how, 1); }
  static Error OpenError(const char* library = JIKJI_MOCK_NVML_LIBRARY) {
    auto monitor = GpuMonitor::Open(library);
    return monitor ? Error() : monitor.error();
  }
};

TEST_F(GpuMonitorTest, TellsWhatTheDriverTells) {
  auto opened = GpuMonitor::Open(JIKJI_MOCK_NVML_LIBRARY);
  ASSERT_TRUE(opened) << opened.error().ToString();
  const GpuMonitor& monitor = **opened;
  EXPECT_EQ(monitor.driver_version(), "570.1");
  EXPECT_EQ(monitor.cuda_version(), "12.8");
  ASSERT_EQ(monitor.gpus().size(), 2u);

  const GpuInfo& info = monitor.gpus()[0];
  EXPECT_EQ(info.name, "Mock GPU");
  EXPECT_EQ(info.uuid, "GPU-0f1f2f3f-4f5f-6f7f-8f9f-afbfcfdfefff");
  EXPECT_EQ(info.memory_bytes, 150'000'000'000u);
  EXPECT_EQ(info.major, 9);
  EXPECT_EQ(info.minor, 0);
  EXPECT_EQ(info.limit_watts, 700.0);
  EXPECT_EQ(info.max_sm_mhz, 1'980u);
  EXPECT_EQ(info.max_memory_mhz, 3'201u);

  const auto reading = monitor.Read(0);
  ASSERT_TRUE(reading) << reading.error().ToString();
  EXPECT_EQ(reading->used_bytes, 1'000'000'000u);
  EXPECT_DOUBLE_EQ(reading->watts.value_or(0), 123.456);
  // Counted in more bits than a float's or an int's: a busy GPU passes 2^32 mJ within hours.
  EXPECT_DOUBLE_EQ(reading->joules.value_or(0), 9'000'000'001.5);
  EXPECT_EQ(reading->sm_mhz, 1'500u);
  EXPECT_EQ(reading->memory_mhz, 3'000u);
  EXPECT_EQ(reading->celsius, 45u);
  EXPECT_EQ(reading->uncorrected_errors, 3u);
}

TEST_F(GpuMonitorTest, WhatAGpuDoesNotTellIsNotZero) {
  auto monitor = GpuMonitor::Open(JIKJI_MOCK_NVML_LIBRARY);
  ASSERT_TRUE(monitor);
  EXPECT_EQ((*monitor)->gpus()[1].name, "Mock GPU that tells less");
  EXPECT_EQ((*monitor)->gpus()[1].memory_bytes, std::nullopt);
  EXPECT_EQ((*monitor)->gpus()[1].limit_watts, std::nullopt);
  const auto reading = (*monitor)->Read(1);
  ASSERT_TRUE(reading) << reading.error().ToString();
  EXPECT_EQ(reading->watts, std::nullopt);
  EXPECT_EQ(reading->joules, std::nullopt);
  EXPECT_EQ(reading->uncorrected_errors, std::nullopt);
}

TEST_F(GpuMonitorTest, ALostGpuIsAnError) {
  auto monitor = GpuMonitor::Open(JIKJI_MOCK_NVML_LIBRARY);
  ASSERT_TRUE(monitor);
  GoWrong("lost");
  const auto reading = (*monitor)->Read(0);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(reading.error().message, HasSubstr("GPU 0: the GPU is lost"));
  // And so it is where it was lost before.
  monitor->reset();
  EXPECT_THAT(OpenError().message, HasSubstr("the GPU is lost"));
}

TEST_F(GpuMonitorTest, NoDriverAnOldOneAndOneThatDoesNotAnswer) {
  const Error none = OpenError("libjikji-is-not-installed.so.1");
  EXPECT_EQ(none.code, ErrorCode::kUnavailable);
  EXPECT_THAT(none.message, HasSubstr("no NVIDIA driver"));

  const Error old = OpenError("libc.so.6");  // a library without NVML's functions
  EXPECT_EQ(old.code, ErrorCode::kUnsupported);
  EXPECT_THAT(old.message, HasSubstr("too old"));

  GoWrong("not_loaded");
  EXPECT_EQ(OpenError().code, ErrorCode::kUnavailable);
  EXPECT_THAT(OpenError().message, HasSubstr("not loaded"));
  GoWrong("mismatch");
  EXPECT_THAT(OpenError().message, HasSubstr("restart the machine"));
}

TEST_F(GpuMonitorTest, IsOpenedAndClosedAgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    auto monitor = GpuMonitor::Open(JIKJI_MOCK_NVML_LIBRARY);
    ASSERT_TRUE(monitor);
    // The mock answers only where it is started exactly once: every start had its end.
    EXPECT_TRUE((*monitor)->Read(0));
  }
}

}  // namespace
}  // namespace jikji::measure
