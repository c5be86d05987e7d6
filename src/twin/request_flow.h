// Requests through a simulated site: routed by fleet::Route, batched by their node, counted when
// they end; deferred where batch work waits for cheaper hours.
#ifndef JIKJI_TWIN_REQUEST_FLOW_H_
#define JIKJI_TWIN_REQUEST_FLOW_H_

#include <cstdint>
#include <deque>
#include <span>

#include "twin/request_slots.h"
#include "twin/site_state.h"
#include "twin/workload.h"

namespace jikji::twin {

class RequestFlow {
 public:
  // `mean_output`: tokens of an answer, as far as a router can know.
  RequestFlow(SiteState& state, double mean_output);

  void Arrive(const Arrival& arrival);
  // The next event of a node.
  void Step(int32_t node);
  // What was on a node that is gone: sent elsewhere before the first token, told after it.
  void Empty(int32_t node, double now);

  // Batch that waited comes back at no more than twice the rate at which requests come.
  void ReleaseDeferred(double now);
  size_t deferred() const { return deferred_.size(); }
  uint64_t routed() const { return routed_; }  // requests sent to a node, some of them twice

  // Begins to fetch what an arrival that is near will read.
  void Expect(const Arrival& arrival) const { state_.index.Prefetch(arrival.prefix); }

  template <class Stream>
  void Exchange(Stream& stream) {
    slots_.Exchange(stream);
    stream.List(deferred_);
    stream.Plain(routed_);
  }

  // At the end: those that have none.
  void CountUnfinished();

 private:
  // Batch work that waits for cheaper hours.
  struct Deferred {
    uint32_t prompt, output;
  };

  void Send(uint32_t id, double now, std::span<const uint64_t> prefix);
  void FirstToken(uint32_t id, double now);
  void Finish(uint32_t id, double now);

  SiteState& state_;
  RequestSlots slots_;
  std::deque<Deferred> deferred_;
  int64_t decode_work_;
  uint64_t routed_ = 0;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_REQUEST_FLOW_H_
