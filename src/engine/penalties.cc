#include "engine/penalties.h"

#include <algorithm>

namespace jikji {

Penalties::Penalties(const SamplingParams& params, std::span<const TokenId> prompt)
    : active_(params.repetition_penalty != 1.0 || params.presence_penalty != 0.0 ||
              params.frequency_penalty != 0.0),
      repetition_(static_cast<float>(params.repetition_penalty)),
      presence_(static_cast<float>(params.presence_penalty)),
      frequency_(static_cast<float>(params.frequency_penalty)) {
  if (params.repetition_penalty == 1.0) return;
  for (const TokenId token : prompt) counts_.emplace(token, 0);
}

void Penalties::Count(TokenId token) {
  if (active_) ++counts_[token];
}

void Penalties::Apply(std::span<float> logits) const {
  for (const auto& [token, count] : counts_) {
    float& logit = logits[static_cast<size_t>(token)];
    logit = logit > 0 ? logit / repetition_ : logit * repetition_;
    logit -= Cost(count);
  }
}

void Penalties::Describe(std::span<const TokenId> ahead,
                         std::vector<kernels::LogitAdjustment>& adjustments) const {
  if (!active_) return;
  const auto add = [&](TokenId token, int64_t count) {
    adjustments.push_back({.token = token,
                           .masked = 0,
                           .bias = 0,
                           .repeated = 1,
                           .penalty = Cost(count + std::ranges::count(ahead, token))});
  };
  for (const auto& [token, count] : counts_) add(token, count);
  for (size_t i = 0; i < ahead.size(); ++i) {
    const auto before = ahead.first(i);
    if (!counts_.contains(ahead[i]) && std::ranges::find(before, ahead[i]) == before.end()) {
      add(ahead[i], 0);
    }
  }
}

}  // namespace jikji
