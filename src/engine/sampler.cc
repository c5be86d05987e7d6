#include "engine/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/logprobs.h"
#include "engine/random_stream.h"

namespace jikji {
namespace {

// Below this many tokens sorting is cheaper than halving.
constexpr size_t kSortTokens = 64;
// The floor of a nucleus is only a bound; a hair lower, so that rounding never leaves a token out.
constexpr double kSlack = 1e-2;

using kernels::DrawTarget;
using kernels::ExpWeight;
using kernels::TokenWeight;

// The first of `tokens`, which are in order of id, at which the running sum of weights passes
// `random` of their whole.
TokenId DrawFrom(std::span<const RankedToken> tokens, float largest, float inverse_temperature,
                 uint64_t random) {
  const auto weight = [&](const RankedToken& token) {
    return TokenWeight(token.logit, largest, inverse_temperature);
  };
  uint64_t total = 0;
  for (const RankedToken& token : tokens) total += weight(token);
  uint64_t left = DrawTarget(random, total);
  for (const RankedToken& token : tokens) {
    if (left < weight(token)) return token.id;
    left -= weight(token);
  }
  return tokens.back().id;  // not reached: the target is below the total
}

// The weights of a whole row added up, by blocks that stay in `scratch`.
uint64_t SumOfRow(std::span<const float> logits, float largest, float inverse_temperature,
                  SamplerScratch& scratch) {
  uint64_t total = 0;
  scratch.block_sums.clear();
  std::array<float, BlockMaxima::kBlock> weights;
  for (size_t begin = 0; begin < logits.size(); begin += weights.size()) {
    const auto block = logits.subspan(begin, std::min(weights.size(), logits.size() - begin));
    // TokenWeight in two loops: the first one's becomes vector code.
    for (size_t i = 0; i < block.size(); ++i) {
      weights[i] = ExpWeight((block[i] - largest) * inverse_temperature) * kernels::kWeightOne;
    }
    int64_t sum = 0;
    for (size_t i = 0; i < block.size(); ++i) sum += static_cast<int64_t>(weights[i]);
    scratch.block_sums.push_back(static_cast<uint64_t>(sum));
    total += static_cast<uint64_t>(sum);
  }
  return total;
}

// DrawFrom over a whole row, without a list of it: finds the block, then the token in it.
TokenId DrawFromRow(std::span<const float> logits, float largest, float inverse_temperature,
                    uint64_t random, SamplerScratch& scratch) {
  uint64_t left = DrawTarget(random, SumOfRow(logits, largest, inverse_temperature, scratch));
  size_t block = 0;
  while (left >= scratch.block_sums[block]) left -= scratch.block_sums[block++];
  size_t id = block * BlockMaxima::kBlock;
  for (;; ++id) {
    const uint64_t weight = TokenWeight(logits[id], largest, inverse_temperature);
    if (left < weight) return static_cast<TokenId>(id);
    left -= weight;
  }
}

// One adjustment for each token; false where one has two biases, which are added one after another.
bool MergeByToken(std::vector<kernels::LogitAdjustment>& adjustments) {
  std::ranges::stable_sort(adjustments, {}, &kernels::LogitAdjustment::token);
  size_t kept = 0;
  for (const kernels::LogitAdjustment& next : adjustments) {
    if (kept == 0 || adjustments[kept - 1].token != next.token) {
      adjustments[kept++] = next;
      continue;
    }
    kernels::LogitAdjustment& last = adjustments[kept - 1];
    if (last.bias != 0 && next.bias != 0) return false;
    last.masked |= next.masked;
    last.bias += next.bias;
    last.repeated |= next.repeated;
    last.penalty += next.penalty;
  }
  adjustments.resize(kept);
  return true;
}

std::unexpected<Error> NotNumbers() {
  return Fail(ErrorCode::kInternal,
              "the model's logits are not numbers; its weights may be damaged");
}

std::unexpected<Error> NothingLeft() {
  return Fail(ErrorCode::kInvalidArgument,
              "logit_bias, penalties and min_tokens together leave no token to choose from");
}

}  // namespace

Result<> CheckLogits(std::span<const float> logits) {
  if (AllFinite(logits)) return {};
  return NotNumbers();
}

void KeepNucleus(std::vector<RankedToken>& tokens, float largest, float inverse_temperature,
                 double top_p, std::optional<uint64_t> total) {
  const auto sum = [&](size_t begin, size_t end) {
    uint64_t weights = 0;
    for (size_t i = begin; i < end; ++i) {
      weights += TokenWeight(tokens[i].logit, largest, inverse_temperature);
    }
    return weights;
  };
  uint64_t target = kernels::NucleusTarget(top_p, total ? *total : sum(0, tokens.size()));
  // Halves by rank: the nucleus ends in the upper half if that holds the mass, else in the lower.
  // Linear in the tokens, where a sort of all of them is not.
  const auto begin = tokens.begin();
  size_t low = 0, high = tokens.size();
  while (high - low > kSortTokens) {
    const size_t middle = low + (high - low) / 2;
    std::nth_element(begin + static_cast<ptrdiff_t>(low), begin + static_cast<ptrdiff_t>(middle),
                     begin + static_cast<ptrdiff_t>(high), RanksBefore);
    const uint64_t upper = sum(low, middle);
    if (upper >= target) {
      high = middle;
    } else {
      target -= upper;
      low = middle;
    }
  }
  std::sort(begin + static_cast<ptrdiff_t>(low), begin + static_cast<ptrdiff_t>(high), RanksBefore);
  while (low < high) {
    const uint64_t weight = TokenWeight(tokens[low++].logit, largest, inverse_temperature);
    if (target <= weight) break;
    target -= weight;
  }
  tokens.resize(low);
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
  if (!std::isfinite(top.logit)) return NothingLeft();
  SampledToken next;
  next.token = inverse_temperature_ == 0 ? top.id : Draw(logits, top.logit, scratch);
  if (logprobs) next.logprob = logprobs->Of(next.token);
  penalties_.Count(next.token);
  ++count_;
  return next;
}

bool Sampler::Describe(int32_t awaited, std::span<const TokenId> ahead, int64_t vocab,
                       std::vector<kernels::LogitAdjustment>& adjustments,
                       RowChoice& choice) const {
  if (request_->logprobs >= 0 || vocab > kernels::kMostChoiceVocab) return false;
  const SamplingParams& params = request_->sampling;
  const int64_t count = count_ + awaited + static_cast<int64_t>(ahead.size());
  adjustments.clear();
  if (HoldsOpen(count)) {
    for (const TokenId id : request_->stop_ids) adjustments.push_back({.token = id, .masked = 1});
  }
  for (const auto& [id, bias] : params.logit_bias) {
    adjustments.push_back({.token = id, .bias = bias});
  }
  penalties_.Describe(ahead, adjustments);
  if (!MergeByToken(adjustments)) return false;
  choice.asked = true;
  choice.adjustments = adjustments;
  choice.vocab = static_cast<int32_t>(vocab);
  choice.params = {.random = RandomAt(params.seed, choice_, count),
                   .top_p = params.top_p,
                   .inverse_temperature = inverse_temperature_,
                   .floor = Floor(),
                   .top_k = params.top_k,
                   .repetition = penalties_.repetition()};
  return true;
}

Result<SampledToken> Sampler::Take(const RowChoice& choice) {
  if (choice.outcome == RowChoice::Outcome::kNotNumbers) return NotNumbers();
  if (choice.outcome == RowChoice::Outcome::kNothingLeft) return NothingLeft();
  penalties_.Count(choice.token);
  ++count_;
  return SampledToken{.token = choice.token, .logprob = std::nullopt};
}

bool Sampler::Adjust(std::span<float> logits) const {
  const bool hold_open = HoldsOpen(count_);
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
  const uint64_t random = RandomAt(params.seed, choice_, count_);
  const bool all = params.top_p >= 1.0 && params.min_p <= 0.0 &&
                   (params.top_k == 0 || static_cast<size_t>(params.top_k) >= logits.size());
  if (all) return DrawFromRow(logits, largest, inverse_temperature_, random, scratch);
  const RankedToken last = Cutoff(logits, largest, scratch);
  scratch.blocks.AtLeast(last.logit, scratch.ranked);
  std::erase_if(scratch.ranked, [&](const RankedToken& token) { return RanksBefore(last, token); });
  return DrawFrom(scratch.ranked, largest, inverse_temperature_, random);
}

float Sampler::Floor() const {
  // p ≥ min_p · p_max is logit ≥ largest + temperature · ln(min_p).
  const SamplingParams& params = request_->sampling;
  return params.min_p <= 0.0 ? -std::numeric_limits<float>::infinity()
                             : static_cast<float>(params.temperature * std::log(params.min_p));
}

RankedToken Sampler::Cutoff(std::span<const float> logits, float largest,
                            SamplerScratch& scratch) const {
  const SamplingParams& params = request_->sampling;
  const float floor = largest + Floor();
  const bool by_count = params.top_k > 0 && static_cast<size_t>(params.top_k) < logits.size();
  if (by_count) {
    // min-p and top-k each keep all above some rank, so their order does not matter.
    scratch.blocks.TopK(static_cast<size_t>(params.top_k), scratch.ranked);
    std::erase_if(scratch.ranked, [&](const RankedToken& token) { return token.logit < floor; });
  } else if (params.min_p > 0.0) {
    if (params.top_p >= 1.0) return {floor, std::numeric_limits<TokenId>::max()};
    scratch.blocks.AtLeast(floor, scratch.ranked);
  } else {
    const uint64_t total = SumOfRow(logits, largest, inverse_temperature_, scratch);
    // All tokens below 1 / vocab of what the nucleus may leave out are less than that: outside.
    const uint64_t spare = total - kernels::NucleusTarget(params.top_p, total);
    const double least = static_cast<double>(spare) / static_cast<double>(logits.size()) /
                         static_cast<double>(kernels::kWeightOne);
    const float nucleus_floor =
        spare > 0 ? largest + static_cast<float>(params.temperature * (std::log(least) - kSlack))
                  : -std::numeric_limits<float>::infinity();
    scratch.blocks.AtLeast(nucleus_floor, scratch.ranked);
    KeepNucleus(scratch.ranked, largest, inverse_temperature_, params.top_p, total);
    return scratch.ranked.back();
  }
  if (params.top_p < 1.0) {
    KeepNucleus(scratch.ranked, largest, inverse_temperature_, params.top_p);
  }
  return scratch.ranked.back();
}

}  // namespace jikji
