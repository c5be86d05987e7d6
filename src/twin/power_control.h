// The power side of a simulated site: at every control step the weather, the grid and the tariff
// set an envelope, fleet::Power shares it out, and what was drawn is metered.
//
// Draws are of the whole step: shares of time in prefill and decode, times what a GPU draws in each
// under its cap and clock. Nothing is said of the milliseconds within a step.
#ifndef JIKJI_TWIN_POWER_CONTROL_H_
#define JIKJI_TWIN_POWER_CONTROL_H_

#include <array>
#include <span>
#include <vector>

#include "fleet/power.h"
#include "twin/climate.h"
#include "twin/replicas.h"
#include "twin/site_model.h"
#include "twin/site_report.h"

namespace jikji::twin {

// How demand parts into classes; adds up to 1.
using ClassMix = std::array<double, fleet::kServiceClasses>;

// How fast GPUs run under their controls, 1 at full power.
struct Speed {
  double decode = 1;
  double prefill = 1;
};
Speed SpeedUnder(const fleet::GpuPower& gpu, const fleet::NodePower& set);

class PowerControl {
 public:
  PowerControl(const SiteModel& model, const fleet::Snapshot& site);

  struct Events {
    double heat = 0;             // degrees above the season's
    double demand_response = 0;  // share of the envelope that is to be given up now
    double called = 0;           // and that has been called for, in force already or not
  };
  // Of the heat waves and calls of the model.
  static Events EventsAt(const SiteModel& model, double now);

  // Sets what holds from `now` on. Writes the limits of loops into the snapshot; `mix`: how demand
  // parts into classes; `load`: how much of what nodes can do is asked of them, 1: all of it.
  const fleet::PowerPlan& Decide(fleet::Snapshot& site, double now, double step_s,
                                 const Events& events, const ClassMix& mix, double load = 1);

  // Meters a step that ended, under the plan that held in it. `busy`: one for each node.
  void Meter(const fleet::Snapshot& site, double step_s, std::span<const Replicas::Busy> busy,
             SiteReport& report);

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.Plain(wet_bulb_, pue_, defer_batch_, meter_mw_, envelope_mw_, planned_mw_, price_,
                 called_, since_call_s_);
    stream.List(plan_.nodes);
    stream.Plain(plan_.wanted_w, plan_.granted_w, plan_.total_w, plan_.serve_from);
  }

  bool defer_batch() const { return defer_batch_; }
  double meter_mw() const { return meter_mw_; }
  double envelope_mw() const { return envelope_mw_; }
  double price() const { return price_; }

 private:
  double PriceAtHour(double now, double hours_ahead) const;

  const SiteModel& model_;
  std::vector<int64_t> loop_limits_;  // on a cool day
  double contract_mw_;
  Lag wet_bulb_;
  double pue_ = 1;
  fleet::PowerPlan plan_;
  std::vector<fleet::NodeDemand> demands_;
  bool defer_batch_ = false;
  double meter_mw_ = 0, price_ = 0;
  double envelope_mw_ = 0;    // that the draw is judged by
  double planned_mw_ = 0;     // less by calls that are not in force yet
  double called_ = 0;         // the share of the envelope, at the last decision
  double since_call_s_ = -1;  // until the draw is under what was called for; else -1
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_POWER_CONTROL_H_
