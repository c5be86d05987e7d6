#include "api/gpu_metrics.h"

#include <utility>

namespace jikji {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

}  // namespace

GpuMetrics::GpuMetrics(std::shared_ptr<const measure::GpuMonitor> monitor, size_t gpu)
    : monitor_(std::move(monitor)), gpu_(gpu) {
  if (const auto reading = monitor_->Read(gpu_)) joules_at_start_ = reading->joules;
}

void GpuMetrics::AddTo(std::vector<MetricFamily>& families, int64_t ended_requests) const {
  const measure::GpuInfo& info = monitor_->gpus()[gpu_];
  const auto add = [&](const char* name, const char* help, MetricType type, double value) {
    MetricFamily family{.name = name, .help = help, .type = type, .metric = {}};
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    metric.label = {{"uuid", info.uuid}, {"gpu", info.name}};
    metric.gauge.value = value;
    metric.counter.value = value;
    families.push_back(std::move(family));
  };
  const auto tell = [&](const char* name, const char* help, MetricType type, const auto& value) {
    if (value) add(name, help, type, static_cast<double>(*value));
  };
  const auto reading = monitor_->Read(gpu_);
  add("jikji:gpu_up", "1 where the GPU answers its driver.", MetricType::Gauge, reading ? 1 : 0);
  if (!reading) return;
  tell("jikji:gpu_power_watts", "Power that the GPU takes.", MetricType::Gauge, reading->watts);
  tell("jikji:gpu_power_limit_watts", "Power that it may take.", MetricType::Gauge,
       info.limit_watts);
  tell("jikji:gpu_energy_joules_total", "Energy since the driver was loaded.", MetricType::Counter,
       reading->joules);
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
  if (ended_requests > 0 && joules_at_start_ && reading->joules) {
    add("jikji:gpu_joules_per_request",
        "Energy since the server started, over the requests that ended.", MetricType::Gauge,
        (*reading->joules - *joules_at_start_) / static_cast<double>(ended_requests));
  }
}

}  // namespace jikji
