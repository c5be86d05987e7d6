#include "api/gpu_metrics.h"

#include <algorithm>
#include <utility>

namespace jikji {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// A family for each name, with a value for each GPU that tells it.
class Families {
 public:
  explicit Families(std::vector<MetricFamily>& families) : families_(families) {}

  void Add(const measure::GpuInfo& info, const char* name, const char* help, MetricType type,
           double value) {
    auto family = std::ranges::find(families_, name, &MetricFamily::name);
    if (family == families_.end()) {
      families_.push_back({.name = name, .help = help, .type = type, .metric = {}});
      family = families_.end() - 1;
    }
    prometheus::ClientMetric& metric = family->metric.emplace_back();
    metric.label = {{"uuid", info.uuid}, {"gpu", info.name}};
    metric.gauge.value = value;
    metric.counter.value = value;
  }

 private:
  std::vector<MetricFamily>& families_;
};

}  // namespace

GpuMetrics::GpuMetrics(std::shared_ptr<const measure::GpuMonitor> monitor,
                       const std::vector<size_t>& gpus)
    : monitor_(std::move(monitor)) {
  for (const size_t number : gpus) {
    const auto reading = monitor_->Read(number);
    gpus_.push_back({number, reading ? reading->joules : std::nullopt});
  }
}

void GpuMetrics::AddTo(std::vector<MetricFamily>& families, int64_t ended_requests) const {
  Families all(families);
  for (const Gpu& gpu : gpus_) {
    const measure::GpuInfo& info = monitor_->gpus()[gpu.number];
    const auto tell = [&](const char* name, const char* help, MetricType type, const auto& value) {
      if (value) all.Add(info, name, help, type, static_cast<double>(*value));
    };
    const auto reading = monitor_->Read(gpu.number);
    all.Add(info, "jikji:gpu_up", "1 where the GPU answers its driver.", MetricType::Gauge,
            reading ? 1 : 0);
    if (!reading) continue;
    tell("jikji:gpu_power_watts", "Power that the GPU takes.", MetricType::Gauge, reading->watts);
    tell("jikji:gpu_power_limit_watts", "Power that it may take.", MetricType::Gauge,
         info.limit_watts);
    tell("jikji:gpu_energy_joules_total", "Energy since the driver was loaded.",
         MetricType::Counter, reading->joules);
    tell("jikji:gpu_sm_clock_mhz", "Clock of the multiprocessors.", MetricType::Gauge,
         reading->sm_mhz);
    tell("jikji:gpu_memory_clock_mhz", "Clock of the memory.", MetricType::Gauge,
         reading->memory_mhz);
    tell("jikji:gpu_memory_used_bytes", "Memory in use on the GPU.", MetricType::Gauge,
         reading->used_bytes);
    tell("jikji:gpu_temperature_celsius", "Temperature of the chip.", MetricType::Gauge,
         reading->celsius);
    tell("jikji:gpu_uncorrected_errors_total", "Memory errors that could not be corrected.",
         MetricType::Counter, reading->uncorrected_errors);
    if (ended_requests > 0 && gpu.joules_at_start && reading->joules) {
      all.Add(info, "jikji:gpu_joules_per_request",
              "Energy since the server started, over the requests that ended.", MetricType::Gauge,
              (*reading->joules - *gpu.joules_at_start) / static_cast<double>(ended_requests));
    }
  }
}

}  // namespace jikji
