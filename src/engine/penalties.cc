#include "engine/penalties.h"

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
    if (count > 0) logit -= frequency_ * static_cast<float>(count) + presence_;
  }
}

}  // namespace jikji
