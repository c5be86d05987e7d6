#include "twin/replicas.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace jikji::twin {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

Replicas::Replicas(size_t nodes, const EngineModel& engine) : engine_(engine), nodes_(nodes) {
  for (Node& node : nodes_) node.next = kNever;
}

void Replicas::Advance(Node& node, double now) const {
  const double elapsed = now - node.now;
  node.now = now;
  if (elapsed <= 0) return;
  const double steps = elapsed * node.decode_rate;
  const auto running = static_cast<double>(node.running.size());
  node.steps += steps;
  node.kv += steps * running;
  node.busy.output_tokens += steps * running;
  if (node.prefilling > 0) {
    node.left -= elapsed * node.prefill_rate;
    node.busy.prefill_s += elapsed;
  } else if (running > 0) {
    node.busy.decode_s += elapsed;
  }
}

void Replicas::StartPrefill(Node& node) const {
  double tokens = 0, seconds = 0;
  for (const Request& request : node.waiting) {
    const double length = request.prompt + request.output;
    const bool alone = node.running.empty() && node.prefilling == 0;
    // One that is larger than the whole cache is let in alone: the engine would have refused it.
    if (!alone && node.reserved + length > static_cast<double>(engine_.kv_tokens)) break;
    if (node.running.size() + node.prefilling >= static_cast<size_t>(engine_.max_running)) break;
    if (node.prefilling > 0 && tokens + request.uncached > engine_.chunk_tokens) break;
    ++node.prefilling;
    tokens += request.uncached;
    seconds += engine_.step.PromptSeconds(request.uncached, request.prompt);
    node.reserved += length;
  }
  node.left = tokens;
  node.prompt_s = tokens > 0 ? seconds / tokens : 0;
}

void Replicas::Plan(Node& node) const {
  if (node.prefilling == 0) StartPrefill(node);
  const auto running = static_cast<double>(node.running.size());
  node.decode_rate = node.prefill_rate = 0;
  node.next = kNever;
  if (node.prefilling == 0 && node.running.empty()) return;
  double step = engine_.step.DecodeSeconds(running, node.kv) / node.decode_speed;
  if (node.prefilling > 0) {
    const double prompt_s = node.prompt_s / node.prefill_speed;
    double most = engine_.chunk_tokens - running;
    if (engine_.prefill_slowdown > 0 && running > 0 && prompt_s > 0) {
      most = std::min(most, (engine_.prefill_slowdown - 1) * step / prompt_s);
    }
    // The last chunk is as short as what is left.
    const double chunk = std::clamp(node.left, 1.0, std::max(1.0, most));
    step += prompt_s * chunk;
    node.prefill_rate = chunk / step;
    node.next = node.now + std::max(0.0, node.left) / node.prefill_rate;
    if (node.next <= node.now) return;  // the rest of a chunk that has ended
  }
  node.decode_rate = 1 / step;
  if (!node.running.empty()) {
    const double left = std::max(0.0, node.running.front().end - node.steps);
    node.next = std::min(node.next, node.now + left / node.decode_rate);
  }
}

void Replicas::Add(uint32_t index, double now, const Request& request) {
  Node& node = nodes_[index];
  node.waiting.push_back(request);
  if (node.prefilling > 0) return;  // it changes nothing yet
  Advance(node, now);
  Plan(node);
}

Replicas::Event Replicas::Step(uint32_t index) {
  Node& node = nodes_[index];
  Advance(node, node.next);
  const auto later = [](const RunningRequest& a, const RunningRequest& b) {
    return a.end > b.end || (a.end == b.end && a.id > b.id);
  };
  // A millionth of a token of slack: rounding must not leave for a next round what is due now.
  // With no prompt under way it can be nothing but an end: after weeks of simulated time, rounding
  // is more than that slack.
  const bool ends = node.prefilling == 0 ||
                    (!node.running.empty() && node.running.front().end <= node.steps + 1e-6);
  Event event;
  if (ends) {
    std::ranges::pop_heap(node.running, later);
    const RunningRequest done = node.running.back();
    node.running.pop_back();
    node.kv = node.running.empty() ? 0 : std::max(0.0, node.kv - done.tokens);
    node.reserved -= done.tokens;
    event = {Event::Kind::kFinished, done.id};
  } else {
    const Request first = node.waiting.front();
    node.waiting.pop_front();
    // The others of its chunk follow at once.
    --node.prefilling;
    node.left = 0;
    node.busy.output_tokens += 1;
    event = {Event::Kind::kFirstToken, first.id, first.output <= 1};
    if (event.also_finished) {
      node.reserved -= first.prompt + first.output;
    } else {
      node.kv += first.prompt + 1;
      node.running.push_back(
          {node.steps + first.output - 1, first.id, first.prompt + first.output});
      std::ranges::push_heap(node.running, later);
    }
  }
  Plan(node);
  return event;
}

void Replicas::SetSpeed(uint32_t index, double now, double decode, double prefill) {
  Node& node = nodes_[index];
  if (node.decode_speed == decode && node.prefill_speed == prefill) return;
  Advance(node, now);
  node.decode_speed = decode;
  node.prefill_speed = prefill;
  Plan(node);
}

void Replicas::Drop(uint32_t index, double now, std::vector<uint32_t>& waiting,
                    std::vector<uint32_t>& running) {
  Node& node = nodes_[index];
  Advance(node, now);
  for (const Request& request : node.waiting) waiting.push_back(request.id);
  for (const RunningRequest& request : node.running) running.push_back(request.id);
  std::ranges::sort(running);
  node.waiting.clear();
  node.running.clear();
  node.prefilling = 0;
  node.kv = node.reserved = node.left = 0;
  Plan(node);
}

Replicas::Busy Replicas::TakeBusy(uint32_t index, double now) {
  Node& node = nodes_[index];
  Advance(node, now);
  return std::exchange(node.busy, {});
}

}  // namespace jikji::twin
