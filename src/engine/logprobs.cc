#include "engine/logprobs.h"

#include <cmath>

namespace jikji {

double LogSumExp(std::span<const float> logits, float largest) {
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit) - static_cast<double>(largest));
  }
  return static_cast<double>(largest) + std::log(sum);
}

LogProbs::LogProbs(std::span<const float> logits, BlockMaxima& blocks, size_t k)
    : logits_(logits), log_sum_(LogSumExp(logits, blocks.Top().logit)) {
  blocks.TopK(k, top_);
}

TokenLogprob LogProbs::Of(TokenId token) const {
  TokenLogprob result;
  result.token = token;
  result.logprob = Value(logits_[static_cast<size_t>(token)]);
  result.top.reserve(top_.size());
  for (const RankedToken& ranked : top_) result.top.emplace_back(ranked.id, Value(ranked.logit));
  return result;
}

}  // namespace jikji
