#include "engine/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/exp_weight.h"
#include "engine/logprobs.h"
#include "engine/random_stream.h"

namespace jikji {
namespace {

// Below this many tokens sorting is cheaper than halving.
constexpr size_t kSortTokens = 64;
// The floor of a nucleus is only a bound; a hair lower, so that rounding never leaves a token out.
constexpr double kSlack = 1e-2;

float Weight(float logit, float largest, float inverse_temperature) {
  return ExpWeight((logit - largest) * inverse_temperature);
}

// The token at which the running sum of weights passes `u` of their whole.
TokenId DrawFrom(std::span<const RankedToken> tokens, float largest, float inverse_temperature,
                 double u) {
  double total = 0;
  for (const RankedToken& token : tokens) {
    total += Weight(token.logit, largest, inverse_temperature);
  }
  const double target = u * total;
  double sum = 0;
  for (const RankedToken& token : tokens) {
    sum += Weight(token.logit, largest, inverse_temperature);
    if (sum > target) return token.id;
  }
  // u < 1, so only a product rounded up to the total comes here.
  return tokens.back().id;
}

// The weights of a whole row added up, by blocks that stay in `scratch`.
double SumOfRow(std::span<const float> logits, float largest, float inverse_temperature,
                SamplerScratch& scratch) {
  double total = 0;
  scratch.block_sums.clear();
  std::array<float, BlockMaxima::kBlock> weights;
  for (size_t begin = 0; begin < logits.size(); begin += weights.size()) {
    const auto block = logits.subspan(begin, std::min(weights.size(), logits.size() - begin));
    for (size_t i = 0; i < block.size(); ++i) {
      weights[i] = Weight(block[i], largest, inverse_temperature);
    }
    const double sum = std::accumulate(weights.begin(), weights.begin() + block.size(), 0.0);
    scratch.block_sums.push_back(sum);
    total += sum;
  }
  return total;
}

// DrawFrom over a whole row, without a list of it: finds the block, then the token in it.
TokenId DrawFromRow(std::span<const float> logits, float largest, float inverse_temperature,
                    double u, SamplerScratch& scratch) {
  double left = u * SumOfRow(logits, largest, inverse_temperature, scratch);
  size_t block = 0;
  size_t last_block = 0;
  for (; block < scratch.block_sums.size(); ++block) {
    if (scratch.block_sums[block] == 0) continue;
    last_block = block;
    if (left < scratch.block_sums[block]) break;
    left -= scratch.block_sums[block];
  }
  // Rounding may carry past the end: then the last token that has weight.
  TokenId last = 0;
  const size_t begin = last_block * BlockMaxima::kBlock;
  const size_t end = std::min(begin + BlockMaxima::kBlock, logits.size());
  for (size_t id = begin; id < end; ++id) {
    const double weight = Weight(logits[id], largest, inverse_temperature);
    if (weight == 0) continue;
    last = static_cast<TokenId>(id);
    if (left < weight) break;
    left -= weight;
  }
  return last;
}

}  // namespace

Result<> CheckLogits(std::span<const float> logits) {
  if (AllFinite(logits)) return {};
  return Fail(ErrorCode::kInternal,
              "the model's logits are not numbers; its weights may be damaged");
}

void KeepNucleus(std::vector<RankedToken>& tokens, float largest, float inverse_temperature,
                 double top_p, std::optional<double> total) {
  const auto sum = [&](size_t begin, size_t end) {
    double weights = 0;
    for (size_t i = begin; i < end; ++i) {
      weights += Weight(tokens[i].logit, largest, inverse_temperature);
    }
    return weights;
  };
  double target = top_p * (total ? *total : sum(0, tokens.size()));
  // Halves by rank: the nucleus ends in the upper half if that holds the mass, else in the lower.
  // Linear in the tokens, where a sort of all of them is not.
  const auto begin = tokens.begin();
  size_t low = 0, high = tokens.size();
  while (high - low > kSortTokens) {
    const size_t middle = low + (high - low) / 2;
    std::nth_element(begin + static_cast<ptrdiff_t>(low), begin + static_cast<ptrdiff_t>(middle),
                     begin + static_cast<ptrdiff_t>(high), RanksBefore);
    const double upper = sum(low, middle);
    if (upper >= target) {
      high = middle;
    } else {
      target -= upper;
      low = middle;
    }
  }
  std::sort(begin + static_cast<ptrdiff_t>(low), begin + static_cast<ptrdiff_t>(high), RanksBefore);
  while (low < high) {
    target -= Weight(tokens[low++].logit, largest, inverse_temperature);
    if (target <= 0) break;
  }
  tokens.resize(std::max<size_t>(low, 1));
}

Sampler::Sampler(const GenerationRequest& request, int32_t choice)
    : request_(&request),
      choice_(choice),
      penalties_(request.sampling, request.prompt),
      inverse_temperature_(request.sampling.temperature < kGreedyTemperature
                               ? 0.0f
                               : static_cast<float>(1.0 / request.sampling.temperature)) {}

Result<SampledToken> Sampler::Next(std::span<float> logits, SamplerScratch& scratch) {
  JIKJI_RETURN_IF_ERROR(CheckLogits(logits));
  scratch.blocks.Scan(logits);
  std::optional<LogProbs> logprobs;
  if (request_->logprobs >= 0) {
    // The token is known only after `logits` is overwritten.
    scratch.raw.assign(logits.begin(), logits.end());
    logprobs.emplace(scratch.raw, scratch.blocks, static_cast<size_t>(request_->logprobs));
  }
  if (Adjust(logits)) scratch.blocks.Scan(logits);
  const RankedToken top = scratch.blocks.Top();
  if (!std::isfinite(top.logit)) {
    return Fail(ErrorCode::kInvalidArgument,
                "logit_bias, penalties and min_tokens together leave no token to choose from");
  }
  SampledToken next;
  next.token = inverse_temperature_ == 0 ? top.id : Draw(logits, top.logit, scratch);
  if (logprobs) next.logprob = logprobs->Of(next.token);
  penalties_.Count(next.token);
  ++count_;
  return next;
}

bool Sampler::Adjust(std::span<float> logits) const {
  const bool hold_open = count_ < request_->min_tokens && !request_->ignore_eos;
  if (hold_open) {
    for (const TokenId id : request_->stop_ids) {
      logits[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
    }
  }
  for (const auto& [id, bias] : request_->sampling.logit_bias) {
    logits[static_cast<size_t>(id)] += bias;
  }
  if (penalties_.active()) penalties_.Apply(logits);
  return hold_open || !request_->sampling.logit_bias.empty() || penalties_.active();
}

TokenId Sampler::Draw(std::span<const float> logits, float largest, SamplerScratch& scratch) const {
  const SamplingParams& params = request_->sampling;
  const double u = UniformAt(params.seed, choice_, count_);
  const bool all = params.top_p >= 1.0 && params.min_p <= 0.0 &&
                   (params.top_k == 0 || static_cast<size_t>(params.top_k) >= logits.size());
  if (all) return DrawFromRow(logits, largest, inverse_temperature_, u, scratch);
  KeepLikely(logits, largest, scratch);
  return DrawFrom(scratch.ranked, largest, inverse_temperature_, u);
}

void Sampler::KeepLikely(std::span<const float> logits, float largest,
                         SamplerScratch& scratch) const {
  const SamplingParams& params = request_->sampling;
  // p ≥ min_p · p_max is logit ≥ largest + temperature · ln(min_p).
  const float floor =
      params.min_p <= 0.0
          ? -std::numeric_limits<float>::infinity()
          : largest + static_cast<float>(params.temperature * std::log(params.min_p));
  const bool by_count = params.top_k > 0 && static_cast<size_t>(params.top_k) < logits.size();
  if (by_count) {
    // min-p and top-k each keep all above some rank, so their order does not matter.
    scratch.blocks.TopK(static_cast<size_t>(params.top_k), scratch.ranked);
    std::erase_if(scratch.ranked, [&](const RankedToken& token) { return token.logit < floor; });
  } else if (params.min_p > 0.0) {
    scratch.blocks.AtLeast(floor, scratch.ranked);
  } else {
    const double total = SumOfRow(logits, largest, inverse_temperature_, scratch);
    // All tokens with p < (1 − top_p) / vocab weigh less than 1 − top_p together: outside.
    const double least = (1.0 - params.top_p) / static_cast<double>(logits.size()) * total;
    const float nucleus_floor =
        least > 0 ? largest + static_cast<float>(params.temperature * std::log(least) - kSlack)
                  : -std::numeric_limits<float>::infinity();
    scratch.blocks.AtLeast(nucleus_floor, scratch.ranked);
    KeepNucleus(scratch.ranked, largest, inverse_temperature_, params.top_p, total);
    return;
  }
  if (params.top_p < 1.0) {
    KeepNucleus(scratch.ranked, largest, inverse_temperature_, params.top_p);
  }
}

}  // namespace jikji
