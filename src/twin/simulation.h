// A site served request by request: arrivals are routed by fleet::Route, batched by the nodes,
// powered by fleet::Power, and replaced by fleet::Recover when they fail.
//
// The decisions are those of production, on a snapshot that is kept as production's is. The same
// model, workload and seed give the same report, bit for bit. A second thread makes the arrivals.
#ifndef JIKJI_TWIN_SIMULATION_H_
#define JIKJI_TWIN_SIMULATION_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

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

// How a simulation outlives its process: its state goes to a file, from which a run of the same
// settings goes on as if nothing had been.
struct StateKeeping {
  enum class Wish : uint8_t { kGoOn, kSave, kSaveAndStop };

  std::filesystem::path file = {};
  // All that the report depends on, a line each: a file that was saved by others is refused.
  std::string settings = {};
  bool resume = false;              // begin with what the file holds
  std::function<Wish()> wish = {};  // asked after every step of control
};

// `progress` is called with the share that is done, now and then. kCancelled where the run was
// saved and stopped.
Result<SiteReport> Simulate(const SiteModel& model, Workload& workload,
                            const SimulationOptions& options,
                            const std::function<void(double)>& progress = {},
                            const StateKeeping* keeping = nullptr);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SIMULATION_H_
