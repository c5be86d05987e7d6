// A site served request by request: arrivals are routed by fleet::Route, batched by the nodes,
// powered by fleet::Power, and replaced by fleet::Recover when they fail.
//
// The decisions are those of production, on a snapshot that is kept as production's is. The same
// model, workload and seed give the same report, bit for bit. A second thread makes the arrivals.
#ifndef JIKJI_TWIN_SIMULATION_H_
#define JIKJI_TWIN_SIMULATION_H_

#include <functional>
#include <memory>

#include "twin/site_model.h"
#include "twin/site_report.h"
#include "twin/workload.h"

namespace jikji::twin {

// What a request was promised.
struct ServicePromise {
  double ttft_s = 2;
  double tpot_s = 0.05;
};

struct SimulationOptions {
  double seconds = 3600;
  double control_s = 10;
  double series_s = 300;
  uint64_t seed = 1;
  ServicePromise promise = {};
};

// `progress` is called with the share that is done, now and then.
Result<SiteReport> Simulate(const SiteModel& model, Workload& workload,
                            const SimulationOptions& options,
                            const std::function<void(double)>& progress = {});

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SIMULATION_H_
