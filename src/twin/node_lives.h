// How nodes of a simulated site fail, start and are replaced, by fleet::Recover.
#ifndef JIKJI_TWIN_NODE_LIVES_H_
#define JIKJI_TWIN_NODE_LIVES_H_

#include <cstdint>

#include "fleet/place.h"
#include "twin/incidents.h"
#include "twin/random.h"
#include "twin/request_flow.h"
#include "twin/site_state.h"

namespace jikji::twin {

class NodeLives {
 public:
  // Draws the first failure of every node. Incidents are added to `incidents`.
  NodeLives(SiteState& state, RequestFlow& flow, Incidents& incidents);

  // One fails by itself, and is repaired in time.
  void Fail(int32_t node, double now);
  // Whatever stands in a failed rack, feed or loop.
  void Lose(const fleet::Failure& failure, double now);
  // Loads the model: it serves after that.
  void Start(int32_t node, double now);
  void Loaded(int32_t node);
  // A node is back: it serves again where there are too few, and else is a spare.
  void Return(int32_t node, double now);
  // Its watts are gone, or back. Whoever calls it rebuilds the pools and empties what is off.
  void SwitchOff(int32_t node);
  void SwitchOn(int32_t node, double now);

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.Plain(random_);
  }

 private:
  void ScheduleFailure(int32_t node, double now);

  SiteState& state_;
  RequestFlow& flow_;
  Incidents& incidents_;
  Random random_;
  int32_t wanted_nodes_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_NODE_LIVES_H_
