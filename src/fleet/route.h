// Which node gets a request: Route(snapshot, index, request), a pure function.
//
// kBounded, the default, sends a request where it costs least: the work that delays it there, plus
// what of the prompt is not cached there, and more for a conversation that would lose its place. It
// looks at the nodes that hold the longest beginnings of the prompt and at a few drawn from the
// request's id, and takes none whose work is above `bound` times the mean, so that a popular prompt
// spreads before it makes a hotspot (consistent hashing with bounded loads, Mirrokni et al. 2018).
// The cost of a choice does not grow with the site. The other policies are what it is measured
// against. Non-goals: queues of tenants (fairness.h).
#ifndef JIKJI_FLEET_ROUTE_H_
#define JIKJI_FLEET_ROUTE_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "fleet/cache_index.h"
#include "fleet/site.h"

namespace jikji::fleet {

enum class RoutePolicy : uint8_t {
  kBounded,
  kRoundRobin,
  kLeastRequests,
  kPrefixAffinity,  // the deepest match, whatever waits there; else by hash: makes hotspots
  kLlmD,            // llm-d's weighted sum of scorers (scorers.h)
  kDynamo,          // Dynamo's cost in blocks (scorers.h)
};
// "bounded", "round-robin", ...
const char* RoutePolicyName(RoutePolicy policy);
Result<RoutePolicy> ParseRoutePolicy(std::string_view name);

struct RouteOptions {
  RoutePolicy policy = RoutePolicy::kBounded;
  double bound = 1.25;         // work of a node over the mean of its pool
  int32_t draws = 8;           // nodes looked at whatever they cache
  int32_t block_tokens = 512;  // tokens that one hash of the prefix stands for
};

struct RouteRequest {
  uint64_t id = 0;  // consecutive; draws and round robin follow it
  int32_t model = 0;
  int32_t adapter = -1;
  DataGrade grade = DataGrade::kOpen;
  int64_t prompt_tokens = 0;
  int64_t decode_work = 0;                 // what its decode will cost, in tokens of prompt
  std::span<const uint64_t> prefix = {};   // hashes of its blocks, each chained to those before
  std::span<const int32_t> excluded = {};  // nodes that failed it already
};

struct RouteChoice {
  int32_t node = -1;          // -1: no serving node may have it
  int64_t cached_tokens = 0;  // of the prompt, as far as the index knows
};

// What an answer of so many tokens costs its node, in tokens of prompt.
int64_t DecodeWork(int64_t output_tokens);

RouteChoice Route(const Snapshot& site, const CacheIndex& index, const RouteRequest& request,
                  const RouteOptions& options);

// A node of the pool that serves and may see the request.
bool MayServe(const Snapshot& site, int32_t node, const RouteRequest& request);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_ROUTE_H_
