// A GPU's watts, clocks, energy and errors for GET /metrics, read when they are asked for.
//
// Energy per request is what a GPU has used since the server started, over all requests that have
// ended since, whichever GPU they were on: the sum over GPUs is what a request took. Time without
// requests is in it, as it is in the bill.
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
  // `gpus`: the monitor's numbers of them.
  GpuMetrics(std::shared_ptr<const measure::GpuMonitor> monitor, const std::vector<size_t>& gpus);

  // What a GPU does not tell is left out; of one that does not answer, only `jikji:gpu_up` 0 is
  // there.
  void AddTo(std::vector<prometheus::MetricFamily>& families, int64_t ended_requests) const;

 private:
  std::shared_ptr<const measure::GpuMonitor> monitor_;
  struct Gpu {
    size_t number;
    std::optional<double> joules_at_start;
  };
  std::vector<Gpu> gpus_;
};

}  // namespace jikji

#endif  // JIKJI_API_GPU_METRICS_H_
