// Penalties for repetition: which tokens a sequence has seen, and what that costs their logits.
//
// In this order, as vLLM: repetition (Keskar et al. 2019, "CTRL": over prompt and output; a
// positive logit is divided, another multiplied), then frequency (times the count) and presence
// (once), over the output alone, as OpenAI documents them.
#ifndef JIKJI_ENGINE_PENALTIES_H_
#define JIKJI_ENGINE_PENALTIES_H_

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/request.h"
#include "kernels/token_choice.h"

namespace jikji {

class Penalties {
 public:
  Penalties(const SamplingParams& params, std::span<const TokenId> prompt);

  // `token` was put out.
  void Count(TokenId token);

  // True where Apply changes anything.
  bool active() const { return active_; }
  void Apply(std::span<float> logits) const;
  // The same for a decoder that chooses, were `ahead` put out too: appends what changes, no token
  // twice. The repetition penalty is the row's.
  void Describe(std::span<const TokenId> ahead,
                std::vector<kernels::LogitAdjustment>& adjustments) const;
  float repetition() const { return repetition_; }

 private:
  float Cost(int64_t count) const {
    return count > 0 ? frequency_ * static_cast<float>(count) + presence_ : 0.0f;
  }

  bool active_;
  float repetition_;
  float presence_;
  float frequency_;
  std::unordered_map<TokenId, int64_t> counts_;  // in the output; 0: in the prompt only
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_PENALTIES_H_
