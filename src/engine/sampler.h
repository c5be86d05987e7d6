// The next token of one sequence from a row of logits.
//
// In this order, which is vLLM's: stop ids masked until min_tokens, logit_bias, penalties; greedy
// ends here with the first in rank. Else temperature, min-p, top-k, top-p, and a draw from what is
// left by inverse transform, in order of id. Weights are whole numbers (kernels/token_choice.h), so
// that a decoder which chooses on its device chooses the same token. Contract (promise 1): the
// token depends on the row, the parameters, the choice and the sequence's own history; not on the
// batch, on threads or on where it is chosen. Non-goals: grammars (their mask will go with the
// bias).
#ifndef JIKJI_ENGINE_SAMPLER_H_
#define JIKJI_ENGINE_SAMPLER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "engine/penalties.h"
#include "engine/request.h"
#include "engine/token_rank.h"
#include "kernels/token_choice.h"
#include "model/decoder.h"

namespace jikji {

// Below it a temperature is greedy, as in vLLM: logits divided by it would leave float's range.
inline constexpr double kGreedyTemperature = 1e-5;

// Memory that samplers use one after another.
struct SamplerScratch {
  BlockMaxima blocks;
  std::vector<RankedToken> ranked;
  std::vector<float> raw;
  std::vector<uint64_t> block_sums;
};

// Keeps the fewest of `tokens` from the top whose weights exp((logit − largest) / temperature) add
// up to `top_p` of `total`, or of their own sum where it is not given. At least one stays; the last
// in rank is at the end, the order of the others is lost.
void KeepNucleus(std::vector<RankedToken>& tokens, float largest, float inverse_temperature,
                 double top_p, std::optional<uint64_t> total = std::nullopt);

// kInternal where a logit is infinite or not a number.
Result<> CheckLogits(std::span<const float> logits);

struct SampledToken {
  TokenId token = 0;
  std::optional<TokenLogprob> logprob;
};

class Sampler {
 public:
  // `request` must outlive the sampler.
  Sampler(const GenerationRequest& request, int32_t choice);

  // The next token; counts it as put out. Overwrites `logits`. An error where a logit is not a
  // number, or nothing is left to choose from.
  Result<SampledToken> Next(std::span<float> logits, SamplerScratch& scratch);

  // For a decoder that chooses: how the token would be chosen were `ahead` put out before it, and
  // before them `awaited` tokens that are not known yet: none where it needs_history. False where
  // only Next can: log probabilities are asked for, or a token is biased twice. `adjustments` is
  // overwritten; `choice` refers to it.
  bool Describe(int32_t awaited, std::span<const TokenId> ahead, int64_t vocab,
                std::vector<kernels::LogitAdjustment>& adjustments, RowChoice& choice) const;
  // What is chosen depends on which tokens were put out before, beyond the logits.
  bool needs_history() const { return penalties_.active(); }
  // Next, where the decoder has chosen.
  Result<SampledToken> Take(const RowChoice& choice);

  // Tokens put out so far.
  int64_t count() const { return count_; }

 private:
  bool HoldsOpen(int64_t count) const {
    return count < request_->min_tokens && !request_->ignore_eos;
  }
  bool Adjust(std::span<float> logits) const;
  TokenId Draw(std::span<const float> logits, float largest, SamplerScratch& scratch) const;
  // What min-p keeps, from the largest logit on.
  float Floor() const;
  // The last in rank that is kept.
  RankedToken Cutoff(std::span<const float> logits, float largest, SamplerScratch& scratch) const;

  const GenerationRequest* request_;
  int32_t choice_;
  Penalties penalties_;
  float inverse_temperature_;  // 0: greedy
  int64_t count_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_SAMPLER_H_
