// Whose turn it is among tenants: virtual start times, by tokens (start-time fair queueing, Goyal
// et al. 1996; tokens as the measure of service, Sheng et al. 2024).
//
// Each tenant has a counter of the tokens it was served. A request's tag is its tenant's counter
// when it arrives, but never behind the least tag of what is here now: who was away has no claim on
// the past. The counter moves on by what the request is expected to cost, and is put right by what
// it cost in truth. So a tenant with a thousand requests has tags far ahead, and another's next one
// stands before all but the first of them. Contract: a function of the calls; tags of one tenant
// never fall. Non-goals: order within a tenant (arrival), classes (Ticket::priority).
#ifndef JIKJI_ENGINE_FAIR_SHARE_H_
#define JIKJI_ENGINE_FAIR_SHARE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "engine/request.h"

namespace jikji {

// A token that is generated costs a step of its own where prompt tokens share one: twice as much,
// as Sheng et al. have it.
inline constexpr int64_t kOutputTokenWeight = 2;

// Outputs are mostly far shorter than their limit: expected are this many tokens of each choice, or
// the limit.
int64_t ExpectedCost(const GenerationRequest& request);

class FairShare {
 public:
  // The tag of a request that arrives. `cost` is at least 1.
  int64_t Arrive(std::string_view tenant, int64_t cost);
  // It is over, and cost `used`.
  void Leave(std::string_view tenant, int64_t tag, int64_t cost, int64_t used);

 private:
  struct Tenant {
    int64_t counter = 0;
    int64_t last_tag = 0;
    int64_t here = 0;  // requests that have not left
  };
  std::map<std::string, Tenant, std::less<>> tenants_;
  std::multiset<int64_t> tags_;  // of all requests here
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_FAIR_SHARE_H_
