#include "engine/fair_share.h"

#include <algorithm>

namespace jikji {
namespace {

constexpr int64_t kExpectedOutput = 256;

}  // namespace

int64_t ExpectedCost(const GenerationRequest& request) {
  return static_cast<int64_t>(request.prompt.size()) +
         kOutputTokenWeight * request.choices * std::min(request.max_tokens, kExpectedOutput);
}

int64_t FairShare::Arrive(std::string_view tenant, int64_t cost) {
  // Nobody is here: nobody is ahead.
  if (tags_.empty()) tenants_.clear();
  auto known = tenants_.find(tenant);
  if (known == tenants_.end()) known = tenants_.emplace(tenant, Tenant{}).first;
  Tenant& state = known->second;
  if (!tags_.empty()) state.counter = std::max(state.counter, *tags_.begin());
  // Not before its own that wait, where those turned out to cost less than was expected.
  const int64_t tag = state.last_tag = std::max(state.counter, state.last_tag);
  state.counter += cost;
  ++state.here;
  tags_.insert(tag);
  return tag;
}

void FairShare::Leave(std::string_view tenant, int64_t tag, int64_t cost, int64_t used) {
  tags_.erase(tags_.find(tag));
  const auto known = tenants_.find(tenant);
  Tenant& state = known->second;
  state.counter += used - cost;
  // Whom the others have passed is as one who was never here.
  if (--state.here == 0 && !tags_.empty() && state.counter <= *tags_.begin()) {
    tenants_.erase(known);
  }
}

}  // namespace jikji
