#include "twin/request_flow.h"

#include <algorithm>
#include <vector>

#include "fleet/route.h"

namespace jikji::twin {
namespace {

// What a sequence costs in decode, in tokens of prompt: its share of the steps it is in.
int64_t DecodeWork(const StepModel& step, double mean_output) {
  if (step.prompt_s <= 0) return std::max<int64_t>(1, static_cast<int64_t>(mean_output));
  const double each = step.sequence_s + step.context_s * mean_output;
  return std::max<int64_t>(1, static_cast<int64_t>(mean_output * each / step.prompt_s));
}

}  // namespace

RequestFlow::RequestFlow(SiteState& state, double mean_output)
    : state_(state), decode_work_(DecodeWork(state.model.engine.step, mean_output)) {}

void RequestFlow::Arrive(const Arrival& arrival) {
  ClassReport& report = state_.ClassOf(arrival.service);
  ++report.offered;
  state_.sampler.Offered();
  if (arrival.service < state_.serve_from) {
    ++report.refused;
    return;
  }
  if (arrival.service == fleet::ServiceClass::kBatch && state_.power.defer_batch()) {
    deferred_.push_back({arrival.prompt, arrival.output});
    return;
  }
  const uint32_t slot = slots_.Add({.arrived = arrival.time,
                                    .prompt = arrival.prompt,
                                    .output = arrival.output,
                                    .service = arrival.service});
  Send(slot, arrival.time, arrival.prefix);
}

void RequestFlow::Send(uint32_t id, double now, std::span<const uint64_t> prefix) {
  RequestSlot& slot = slots_[id];
  fleet::RouteRequest request;
  request.id = routed_++;
  request.prompt_tokens = slot.prompt;
  request.decode_work = decode_work_;
  request.prefix = prefix;
  const fleet::RouteChoice choice =
      fleet::Route(state_.site, state_.index, request, state_.model.route);
  if (choice.node < 0) {
    ++state_.ClassOf(slot.service).refused;
    slots_.Free(id);
    return;
  }
  state_.caches.Prefetch(static_cast<size_t>(choice.node), prefix);
  state_.replicas.Prefetch(static_cast<uint32_t>(choice.node));
  state_.index.Add(prefix, choice.node);
  slot.node = choice.node;
  slot.prompt_work = slot.prompt - choice.cached_tokens;
  fleet::AddWork(state_.site, choice.node, slot.prompt_work + decode_work_);
  fleet::NodeLoad& load = state_.LoadOf(choice.node);
  load.prefill += slot.prompt_work;
  load.kv_tokens += slot.prompt;
  ++load.waiting;
  const size_t held = state_.caches.Use(static_cast<size_t>(choice.node), prefix);
  const auto cached = static_cast<uint32_t>(std::min<size_t>(
      held * static_cast<size_t>(state_.model.route.block_tokens), slot.prompt - 1));
  slot.uncached = slot.prompt - cached;
  state_.report.prompt_tokens += slot.prompt;
  state_.report.cached_tokens += cached;
  state_.replicas.Add(static_cast<uint32_t>(choice.node), now,
                      {id, slot.uncached, slot.prompt, slot.output});
  state_.Reschedule(choice.node);
}

void RequestFlow::Step(int32_t node) {
  const double now = state_.replicas.NextTime(static_cast<uint32_t>(node));
  const Replicas::Event event = state_.replicas.Step(static_cast<uint32_t>(node));
  state_.Reschedule(node);
  state_.ExpectNodes();
  const bool first = event.kind == Replicas::Event::Kind::kFirstToken;
  if (first) FirstToken(event.id, now);
  if (!first || event.also_finished) Finish(event.id, now);
}

void RequestFlow::FirstToken(uint32_t id, double now) {
  RequestSlot& slot = slots_[id];
  slot.first = now;
  const double ttft = now - slot.arrived + state_.model.engine.request_s;
  state_.ClassOf(slot.service).ttft.Add(ttft);
  state_.sampler.FirstToken(ttft);
  fleet::AddWork(state_.site, slot.node, -slot.prompt_work);
  fleet::NodeLoad& load = state_.LoadOf(slot.node);
  load.prefill -= slot.prompt_work;
  --load.waiting;
  ++load.running;
}

void RequestFlow::Finish(uint32_t id, double now) {
  RequestSlot& slot = slots_[id];
  ClassReport& report = state_.ClassOf(slot.service);
  ++report.finished;
  const double request_s = state_.model.engine.request_s;
  report.latency.Add(now - slot.arrived + request_s);
  double tpot = 0;
  if (slot.output > 1) {
    tpot = (now - slot.first) / (slot.output - 1);
    report.tpot.Add(tpot);
  }
  const ServicePromise& promise = state_.options.promise;
  report.good += slot.first - slot.arrived + request_s <= promise.ttft_s && tpot <= promise.tpot_s;
  state_.report.output_tokens += slot.output;
  fleet::AddWork(state_.site, slot.node, -decode_work_);
  fleet::NodeLoad& load = state_.LoadOf(slot.node);
  load.kv_tokens -= slot.prompt;
  --load.running;
  slots_.Free(id);
}

void RequestFlow::Empty(int32_t node, double now) {
  std::vector<uint32_t> waiting, running;
  state_.replicas.Drop(static_cast<uint32_t>(node), now, waiting, running);
  state_.Reschedule(node);
  state_.caches.Clear(static_cast<size_t>(node));
  state_.index.Remove(node);
  const int64_t capacity = state_.LoadOf(node).kv_capacity;
  fleet::AddWork(state_.site, node, -state_.LoadOf(node).work);
  state_.LoadOf(node) = {.kv_capacity = capacity};
  for (const uint32_t id : running) {
    ++state_.ClassOf(slots_[id].service).broken;
    slots_.Free(id);
  }
  for (const uint32_t id : waiting) {
    ++state_.ClassOf(slots_[id].service).retried;
    Send(id, now, {});
  }
}

void RequestFlow::ReleaseDeferred(double now) {
  constexpr auto kBatch = fleet::ServiceClass::kBatch;
  if (state_.power.defer_batch() || state_.serve_from > kBatch) return;
  const double rate = static_cast<double>(state_.ClassOf(kBatch).offered) / std::max(now, 1.0);
  auto count = static_cast<int64_t>(std::max(1.0, 2 * rate * state_.options.control_s));
  for (; count > 0 && !deferred_.empty(); --count) {
    const uint32_t slot = slots_.Add({.arrived = now,  // its wait was agreed
                                      .prompt = deferred_.front().prompt,
                                      .output = deferred_.front().output,
                                      .service = kBatch});
    deferred_.pop_front();
    Send(slot, now, {});
  }
}

void RequestFlow::CountUnfinished() {
  state_.ClassOf(fleet::ServiceClass::kBatch).unfinished += static_cast<int64_t>(deferred_.size());
  slots_.ForEach([this](const RequestSlot& slot) { ++state_.ClassOf(slot.service).unfinished; });
}

}  // namespace jikji::twin
