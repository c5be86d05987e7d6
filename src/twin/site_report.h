// What a simulation of a site found.
#ifndef JIKJI_TWIN_SITE_REPORT_H_
#define JIKJI_TWIN_SITE_REPORT_H_

#include <array>
#include <cstdint>
#include <vector>

#include "fleet/site.h"
#include "twin/histogram.h"

namespace jikji::twin {

struct ClassReport {
  int64_t offered = 0;
  int64_t finished = 0;
  int64_t good = 0;               // of these, within both promises of ServicePromise
  int64_t refused = 0;            // told at once: no power for their class, or no node
  int64_t retried = 0;            // sent to another node before their first token
  int64_t broken = 0;             // told: their node was lost after their first token
  int64_t unfinished = 0;         // under way, or deferred, at the end
  Histogram ttft, tpot, latency;  // latency: until the last token
};

struct SeriesPoint {
  double hour = 0;
  double requests_per_second = 0;
  double output_tokens_per_second = 0;
  double mean_ttft_s = 0;
  double meter_mw = 0;
  double envelope_mw = 0;
  double won_per_kwh = 0;
  int32_t serving_nodes = 0;
  int64_t active_requests = 0;
  int64_t deferred_requests = 0;
};

struct SiteReport {
  double seconds = 0;
  std::array<ClassReport, fleet::kServiceClasses> classes;
  int64_t requests = 0;  // simulated to their end, of whatever kind
  double prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  double busiest_over_mean = 0;  // requests at the busiest node over the mean, both over time
  int64_t node_failures = 0, nodes_lost = 0;
  double energy_kwh = 0;  // at the meter
  double energy_won = 0;
  double peak_mw = 0;
  int64_t control_steps = 0;
  int64_t steps_over = 0;    // in which the site, a feed, a loop or a rack drew more than it may
  double worst_over_mw = 0;  // at the meter, of the site
  // From a call for power, whether in force yet or not, until a step drew no more than it leaves.
  double slowest_call_s = 0;
  std::vector<SeriesPoint> series;

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.Plain(seconds, classes, requests, prompt_tokens, cached_tokens, output_tokens,
                 busiest_over_mean, node_failures, nodes_lost, energy_kwh, energy_won, peak_mw,
                 control_steps, steps_over, worst_over_mw, slowest_call_s);
    stream.List(series);
  }

  // What must add up: every offered request has one end. Checked by tests, printed by the command.
  bool Balanced() const {
    for (const ClassReport& report : classes) {
      if (report.offered != report.finished + report.refused + report.broken + report.unfinished) {
        return false;
      }
    }
    return true;
  }
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SITE_REPORT_H_
