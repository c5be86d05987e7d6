// A site over years without single requests: in each step every group of nodes is in the steady
// state of its load, under the very power decisions of the site.
//
// A group is the nodes of one feed and cooling loop. For a load, the time of a step follows in
// closed form from StepModel: t = base / (1 − load), where load is the share of time that prompts
// and sequences take. Failures are their mean; caches are a share of prompts given by the caller.
// What a request-level run shows of queues and hotspots is not here.
#ifndef JIKJI_TWIN_MEAN_FIELD_H_
#define JIKJI_TWIN_MEAN_FIELD_H_

#include <functional>
#include <vector>

#include "twin/site_model.h"

namespace jikji::twin {

struct MeanFieldOptions {
  double seconds = 365.0 * 86400;
  double step_s = 10;
  double requests_per_second = 1;   // mean over a day
  std::vector<double> shape = {1};  // of equal parts of a day
  double prompt_tokens = 1155, output_tokens = 211;
  double cached_share = 0.3;  // of prompts
  double batch_share = 0.2;   // of requests, which wait for cheap hours
};

struct MeanFieldDay {
  double requests_per_second = 0;
  double mean_mw = 0, peak_mw = 0;
  double energy_won = 0;
};

struct MeanFieldReport {
  double requests = 0, refused = 0;
  double output_tokens = 0;
  double energy_kwh = 0, energy_won = 0;
  double peak_mw = 0;
  double tpot_mean_s = 0;  // over requests
  int64_t steps = 0, steps_over = 0;
  std::vector<MeanFieldDay> days;
};

Result<MeanFieldReport> SimulateMeanField(const SiteModel& model, const MeanFieldOptions& options,
                                          const std::function<void(double)>& progress = {});

// One node's steady state at a rate of requests. `load` ≥ 1: more than it can serve.
struct SteadyNode {
  double load = 0;
  double step_s = 0;  // time per output token
  double running = 0;
  double prefill_share = 0, decode_share = 0;  // of time
};
SteadyNode SteadyState(const StepModel& step, double requests_per_second, double uncached_tokens,
                       double context_tokens, double output_tokens, double decode_speed,
                       double prefill_speed);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_MEAN_FIELD_H_
