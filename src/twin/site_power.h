// Power at a simulated site, step by step: what was drawn is metered, what may be drawn is decided,
// and nodes are set to it.
#ifndef JIKJI_TWIN_SITE_POWER_H_
#define JIKJI_TWIN_SITE_POWER_H_

#include <cstdint>
#include <vector>

#include "twin/node_lives.h"
#include "twin/power_control.h"
#include "twin/request_flow.h"
#include "twin/site_state.h"

namespace jikji::twin {

class SitePower {
 public:
  SitePower(SiteState& state, RequestFlow& flow, NodeLives& lives);

  // Counts what was drawn since it was last counted. Due before anything changes the site.
  void Meter(double now);
  // Sets what holds from now on.
  void Decide(double now);

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.Plain(metered_at_, decided_at_, offered_, asked_s_);
    stream.List(active_sum_);
  }

  // Requests at the busiest node over the mean, both over time.
  double BusiestOverMean() const;

 private:
  bool Apply(int32_t node, const fleet::NodePower& set, double now, std::vector<int32_t>& off);
  ClassMix Mix() const;
  // How much of what the nodes can do is asked of them, from what was offered of late.
  double Load(double step_s);

  SiteState& state_;
  RequestFlow& flow_;
  NodeLives& lives_;
  std::vector<Replicas::Busy> busy_;
  std::vector<double> active_sum_;  // of each node, requests times seconds
  double metered_at_ = 0, decided_at_ = 0;
  int64_t offered_ = 0;  // at the last decision
  double asked_s_ = -1;  // requests per second, smoothed; -1: none have come yet
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SITE_POWER_H_
