#include "fleet/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "fleet/prefix.h"
#include "fleet/scorers.h"

namespace jikji::fleet {
namespace {

constexpr std::array kPolicyNames = {"bounded",         "round-robin", "least-requests",
                                     "prefix-affinity", "llm-d",       "dynamo"};

// Pools up to this size are looked at whole: it costs no more than drawing.
constexpr size_t kSmallPool = 16;

constexpr int32_t kMostDraws = 64;

// What is left of decode delays a new prompt by about so much of itself: steps are shared.
constexpr int64_t kDecodeDelays = 4;  // a quarter
// What a prompt that is all cached is worth, over the tokens that it saves: a conversation that
// moves is computed anew by the site, and its next turns are then split between two nodes. It falls
// with the share that is cached, so that the beginning that every prompt has draws nobody anywhere.
constexpr int64_t kStay = 16;

// What a token of an answer costs, in tokens of prompt: 3 to 9 for the engines that were measured
// (sequence_us and context_ns over prompt_us in fleet/data/engines.toml).
constexpr int64_t kOutputWork = 5;

struct View {
  const Snapshot& site;
  const RouteRequest& request;
  const RouteOptions& options;
  const Pool& pool;
  CacheIndex::Matches matches;

  const NodeLoad& load(int32_t node) const { return site.loads[static_cast<size_t>(node)]; }

  int64_t CachedTokens(int32_t node) const {
    for (size_t i = 0; i < matches.count; ++i) {
      if (matches.items[i].node != node) continue;
      return std::min<int64_t>(int64_t{matches.items[i].blocks} * options.block_tokens,
                               request.prompt_tokens);
    }
    return 0;
  }
};

// What the cached tokens of the prompt are worth, in tokens of prompt.
int64_t Saved(int64_t cached, int64_t prompt) {
  if (cached <= 0) return 0;
  return cached + static_cast<int64_t>(static_cast<double>(kStay * cached) *
                                       static_cast<double>(cached) / static_cast<double>(prompt));
}

// In tokens of prompt: what delays it, what is to compute, and what loading or evicting adds, less
// what staying is worth.
int64_t Cost(const View& view, int32_t index) {
  const NodeLoad& load = view.load(index);
  const Node& node = view.site.nodes[static_cast<size_t>(index)];
  const RouteRequest& request = view.request;
  int64_t cost = load.prefill + (load.work - load.prefill) / kDecodeDelays + request.prompt_tokens -
                 Saved(view.CachedTokens(index), request.prompt_tokens);
  if (request.adapter >= 0 && !std::ranges::binary_search(node.adapters, request.adapter)) {
    cost += view.site.models[static_cast<size_t>(request.model)].adapter_load_tokens;
  }
  // A sequence that does not fit waits for others to end, or evicts what must be computed again.
  if (load.kv_capacity > 0) {
    cost += std::max<int64_t>(0, load.kv_tokens + request.prompt_tokens - load.kv_capacity);
  }
  return cost;
}

// What a request adds to the work of a node.
int64_t Added(const View& view, int32_t node) {
  return view.request.prompt_tokens - view.CachedTokens(node) + view.request.decode_work;
}

// The most work at which a node is still taken, apart from one request like this: a conversation
// must not lose its place because its last turn is still under way on an idle site.
int64_t BoundOf(const View& view) {
  const double mean =
      static_cast<double>(view.pool.work) / static_cast<double>(view.pool.nodes.size());
  return static_cast<int64_t>(view.options.bound * mean);
}

// Of equals the first that was offered.
class Cheapest {
 public:
  void Offer(int32_t node, int64_t cost) {
    if (cost < cost_) {
      cost_ = cost;
      node_ = node;
    }
  }
  int32_t node() const { return node_; }

 private:
  int64_t cost_ = std::numeric_limits<int64_t>::max();
  int32_t node_ = -1;
};

// The i-th node of the pool, counted from another one for each request: where nodes are equal, as
// on an idle site, they take turns. The lowest would get all, and its cache alone would be used.
int32_t InTurn(const View& view, size_t i) {
  const std::vector<int32_t>& nodes = view.pool.nodes;
  return nodes[(view.request.id + i) % nodes.size()];
}

int32_t Bounded(const View& view) {
  const std::vector<int32_t>& nodes = view.pool.nodes;
  const int64_t bound = BoundOf(view);
  Cheapest best;
  const auto offer = [&](int32_t node) {
    if (view.load(node).work > bound + Added(view, node)) return false;
    if (!MayServe(view.site, node, view.request)) return false;
    best.Offer(node, Cost(view, node));
    return true;
  };
  if (nodes.size() <= kSmallPool) {
    for (size_t i = 0; i < nodes.size(); ++i) offer(InTurn(view, i));
  } else {
    // All are named before any is looked at, so that what is known of them is fetched together.
    std::array<int32_t, kMostDraws> drawn;
    const auto draws = static_cast<size_t>(std::clamp(view.options.draws, 0, kMostDraws));
    for (size_t i = 0; i < draws; ++i) {
      drawn[i] = nodes[Below(Mix(view.request.id * kMostDraws + i), nodes.size())];
      __builtin_prefetch(&view.load(drawn[i]));
      __builtin_prefetch(&view.site.nodes[static_cast<size_t>(drawn[i])].model);
    }
    for (size_t i = 0; i < view.matches.count; ++i) offer(view.matches.items[i].node);
    for (size_t i = 0; i < draws; ++i) offer(drawn[i]);
  }
  if (best.node() >= 0) return best.node();
  // None of these was under the bound. Some node is at or under the mean; the first after a drawn
  // place that may serve is taken, and the least loaded where the request is barred from all those.
  Cheapest least;
  const size_t start = Below(Mix(view.request.id), nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int32_t node = nodes[(start + i) % nodes.size()];
    if (offer(node)) return node;
    if (MayServe(view.site, node, view.request)) least.Offer(node, view.load(node).work);
  }
  return least.node();
}

int32_t RoundRobin(const View& view) {
  for (size_t i = 0; i < view.pool.nodes.size(); ++i) {
    const int32_t node = InTurn(view, i);
    if (MayServe(view.site, node, view.request)) return node;
  }
  return -1;
}

int32_t LeastRequests(const View& view) {
  Cheapest best;
  for (size_t i = 0; i < view.pool.nodes.size(); ++i) {
    const int32_t node = InTurn(view, i);
    if (!MayServe(view.site, node, view.request)) continue;
    best.Offer(node, view.load(node).running + view.load(node).waiting);
  }
  return best.node();
}

int32_t PrefixAffinity(const View& view) {
  for (size_t i = 0; i < view.matches.count; ++i) {
    if (MayServe(view.site, view.matches.items[i].node, view.request)) {
      return view.matches.items[i].node;
    }
  }
  const std::vector<int32_t>& nodes = view.pool.nodes;
  const uint64_t seed = view.request.prefix.empty() ? view.request.id : view.request.prefix.front();
  const size_t start = Mix(seed) % nodes.size();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int32_t node = nodes[(start + i) % nodes.size()];
    if (MayServe(view.site, node, view.request)) return node;
  }
  return -1;
}

int32_t LlmD(const View& view) {
  const QueueRange queues = RangeOfQueues(view.site, view.pool);
  int32_t best = -1;
  double best_score = -1;
  for (size_t i = 0; i < view.pool.nodes.size(); ++i) {
    const int32_t node = InTurn(view, i);
    if (!MayServe(view.site, node, view.request)) continue;
    const double score =
        LlmDScore(view.load(node), queues, view.CachedTokens(node), view.request.prompt_tokens);
    if (score > best_score) {
      best_score = score;
      best = node;
    }
  }
  return best;
}

int32_t Dynamo(const View& view) {
  int32_t best = -1;
  double best_cost = 0;
  for (size_t i = 0; i < view.pool.nodes.size(); ++i) {
    const int32_t node = InTurn(view, i);
    if (!MayServe(view.site, node, view.request)) continue;
    const double cost = DynamoCost(view.load(node), view.CachedTokens(node),
                                   view.request.prompt_tokens, view.options.block_tokens);
    if (best < 0 || cost < best_cost) {
      best_cost = cost;
      best = node;
    }
  }
  return best;
}

int32_t Choose(const View& view) {
  switch (view.options.policy) {
    case RoutePolicy::kBounded:
      return Bounded(view);
    case RoutePolicy::kRoundRobin:
      return RoundRobin(view);
    case RoutePolicy::kLeastRequests:
      return LeastRequests(view);
    case RoutePolicy::kPrefixAffinity:
      return PrefixAffinity(view);
    case RoutePolicy::kLlmD:
      return LlmD(view);
    case RoutePolicy::kDynamo:
      return Dynamo(view);
  }
  return -1;
}

}  // namespace

const char* RoutePolicyName(RoutePolicy policy) {
  return kPolicyNames[static_cast<size_t>(policy)];
}

Result<RoutePolicy> ParseRoutePolicy(std::string_view name) {
  for (size_t i = 0; i < kPolicyNames.size(); ++i) {
    if (name == kPolicyNames[i]) return static_cast<RoutePolicy>(i);
  }
  return Fail(ErrorCode::kInvalidArgument, fmt::format("there is no routing policy `{}`", name));
}

int64_t DecodeWork(int64_t output_tokens) { return output_tokens * kOutputWork; }

bool MayServe(const Snapshot& site, int32_t index, const RouteRequest& request) {
  const Node& node = site.nodes[static_cast<size_t>(index)];
  return node.state == NodeState::kServing && node.model == request.model &&
         node.grade >= request.grade &&
         std::ranges::find(request.excluded, index) == request.excluded.end();
}

RouteChoice Route(const Snapshot& site, const CacheIndex& index, const RouteRequest& request,
                  const RouteOptions& options) {
  if (request.model < 0 || static_cast<size_t>(request.model) >= site.pools.size()) return {};
  const Pool& pool = site.pools[static_cast<size_t>(request.model)];
  if (pool.nodes.empty()) return {};
  const View view{site, request, options, pool, index.Find(request.prefix)};
  const int32_t node = Choose(view);
  return {.node = node, .cached_tokens = node < 0 ? 0 : view.CachedTokens(node)};
}

}  // namespace jikji::fleet
