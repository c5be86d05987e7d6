// Log-probabilities of tokens from a row of logits.
//
// From the logits as the model gave them, before bias, penalties and temperature: how likely the
// model found a token, as OpenAI and vLLM (`raw_logprobs`) report it. Natural logarithms, summed in
// double.
#ifndef JIKJI_ENGINE_LOGPROBS_H_
#define JIKJI_ENGINE_LOGPROBS_H_

#include <span>
#include <vector>

#include "engine/request.h"
#include "engine/token_rank.h"

namespace jikji {

// ln Σ exp(logit). `largest` is the largest of them.
double LogSumExp(std::span<const float> logits, float largest);

// Of one row of finite logits: fill in once, then ask for tokens.
class LogProbs {
 public:
  // The k most likely tokens of `blocks`, which has scanned `logits`.
  LogProbs(std::span<const float> logits, BlockMaxima& blocks, size_t k);

  TokenLogprob Of(TokenId token) const;

 private:
  float Value(float logit) const {
    return static_cast<float>(static_cast<double>(logit) - log_sum_);
  }

  std::span<const float> logits_;
  double log_sum_;
  std::vector<RankedToken> top_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_LOGPROBS_H_
