#include "fleet/scorers.h"

#include <algorithm>

namespace jikji::fleet {
namespace {

// llm-d's own saturation point of the absolute part of its prefix score.
constexpr double kFullMatchTokens = 8192;
constexpr double kAbsoluteShare = 0.5;
constexpr double kPrefixWeight = 3;
constexpr double kQueueWeight = 2;
constexpr double kCacheWeight = 2;

}  // namespace

QueueRange RangeOfQueues(const Snapshot& site, const Pool& pool) {
  if (pool.nodes.empty()) return {};
  const auto waiting = [&](int32_t node) { return site.loads[static_cast<size_t>(node)].waiting; };
  QueueRange range{waiting(pool.nodes.front()), waiting(pool.nodes.front())};
  for (const int32_t node : pool.nodes) {
    range.least = std::min(range.least, waiting(node));
    range.most = std::max(range.most, waiting(node));
  }
  return range;
}

double LlmDScore(const NodeLoad& load, QueueRange queues, int64_t cached_tokens,
                 int64_t prompt_tokens) {
  const auto cached = static_cast<double>(cached_tokens);
  const double absolute = std::min(1.0, cached / kFullMatchTokens);
  const double share = prompt_tokens > 0 ? cached / static_cast<double>(prompt_tokens) : 0;
  const double prefix = kAbsoluteShare * absolute * absolute + (1 - kAbsoluteShare) * share;
  const double queue = queues.most > queues.least
                           ? static_cast<double>(queues.most - load.waiting) /
                                 static_cast<double>(queues.most - queues.least)
                           : 1;
  const double use = load.kv_capacity > 0 ? static_cast<double>(load.kv_tokens) /
                                                static_cast<double>(load.kv_capacity)
                                          : 0;
  return (kPrefixWeight * prefix + kQueueWeight * queue + kCacheWeight * std::max(0.0, 1 - use)) /
         (kPrefixWeight + kQueueWeight + kCacheWeight);
}

double DynamoCost(const NodeLoad& load, int64_t cached_tokens, int64_t prompt_tokens,
                  int64_t block_tokens) {
  const auto block = static_cast<double>(std::max<int64_t>(1, block_tokens));
  const auto to_compute =
      static_cast<double>(load.prefill + std::max<int64_t>(0, prompt_tokens - cached_tokens));
  const auto held = static_cast<double>(load.kv_tokens + prompt_tokens);
  return to_compute / block + held / block;
}

}  // namespace jikji::fleet
