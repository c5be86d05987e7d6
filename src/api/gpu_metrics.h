// A GPU's watts, clocks, energy and errors for GET /metrics, read when they are asked for.
//
// Energy per request is what the GPU has used since the server started, over the requests that have
// ended since: time without requests is in it, as it is in the bill.
#ifndef JIKJI_API_GPU_METRICS_H_
#define JIKJI_API_GPU_METRICS_H_

#include <prometheus/metric_family.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "measure/gpu_monitor.h"

namespace jikji {

class GpuMetrics {
 public:
  // `gpu`: the monitor's number of it.
  GpuMetrics(std::shared_ptr<const measure::GpuMonitor> monitor, size_t gpu);

  // What the GPU does not tell is left out; where it does not answer, only `jikji:gpu_up` 0 is
  // there.
  void AddTo(std::vector<prometheus::MetricFamily>& families, int64_t ended_requests) const;

 private:
  std::shared_ptr<const measure::GpuMonitor> monitor_;
  size_t gpu_;
  std::optional<double> joules_at_start_;
};

}  // namespace jikji

#endif  // JIKJI_API_GPU_METRICS_H_
