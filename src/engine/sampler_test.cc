#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "base/test_rounds.h"
#include "engine/logprobs.h"

namespace jikji {
namespace {

std::vector<float> RandomLogits(size_t count, float scale, std::mt19937& random) {
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

TokenId NextOf(Sampler& sampler, std::vector<float> logits) {
  SamplerScratch scratch;
  auto next = sampler.Next(logits, scratch);
  EXPECT_TRUE(next.has_value()) << next.error().ToString();
  return next ? next->token : -1;
}

// What sampling is, over a full sort in double: the probability of each token.
std::vector<double> Reference(const std::vector<float>& raw, const GenerationRequest& request,
                              const std::vector<TokenId>& output) {
  const SamplingParams& params = request.sampling;
  std::vector<double> logits(raw.begin(), raw.end());
  const auto at = [&](TokenId id) -> double& { return logits[static_cast<size_t>(id)]; };
  if (static_cast<int64_t>(output.size()) < request.min_tokens) {
    for (TokenId id : request.stop_ids) at(id) = -std::numeric_limits<double>::infinity();
  }
  for (const auto& [id, bias] : params.logit_bias) at(id) += bias;
  std::set<TokenId> seen(request.prompt.begin(), request.prompt.end());
  std::map<TokenId, int> counts;
  for (TokenId id : output) ++counts[id];
  for (TokenId id : output) seen.insert(id);
  for (TokenId id : seen) {
    at(id) = at(id) > 0 ? at(id) / params.repetition_penalty : at(id) * params.repetition_penalty;
  }
  for (const auto& [id, count] : counts) {
    at(id) -= params.frequency_penalty * count + params.presence_penalty;
  }
  std::vector<TokenId> order(raw.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](TokenId a, TokenId b) { return at(a) > at(b); });
  std::vector<double> p(raw.size(), 0.0);
  const double largest = at(order[0]);
  size_t keep = order.size();
  for (TokenId id : order)
    p[static_cast<size_t>(id)] = std::exp((at(id) - largest) / params.temperature);
  const auto weight = [&](size_t rank) { return p[static_cast<size_t>(order[rank])]; };
  if (params.min_p > 0) {
    while (keep > 1 && weight(keep - 1) < params.min_p) --keep;
  }
  if (params.top_k > 0) keep = std::min(keep, static_cast<size_t>(params.top_k));
  double total = 0, sum = 0;
  for (size_t rank = 0; rank < keep; ++rank) total += weight(rank);
  size_t nucleus = 0;
  while (nucleus < keep && (nucleus == 0 || sum < params.top_p * total)) sum += weight(nucleus++);
  for (size_t rank = nucleus; rank < order.size(); ++rank) p[static_cast<size_t>(order[rank])] = 0;
  for (double& value : p) value /= sum;
  return p;
}

// Chi-squared of drawn counts against `p`, as a z-score (Wilson & Hilferty 1931).
double ZScore(const std::vector<int>& counts, const std::vector<double>& p, int draws) {
  double chi2 = 0, rest_expected = 0;
  int rest = 0, cells = 0;
  const auto add = [&](double observed, double expected) {
    chi2 += (observed - expected) * (observed - expected) / expected;
    ++cells;
  };
  for (size_t i = 0; i < p.size(); ++i) {
    const double expected = p[i] * draws;
    if (expected >= 5) {
      add(counts[i], expected);
    } else {
      rest += counts[i];
      rest_expected += expected;
    }
  }
  if (rest_expected >= 5) add(rest, rest_expected);
  if (cells < 2) return 0;
  const double dof = cells - 1;
  return (std::cbrt(chi2 / dof) - (1 - 2 / (9 * dof))) / std::sqrt(2 / (9 * dof));
}

TEST(SamplerTest, GreedyTakesTheLowestIdOfEquals) {
  GenerationRequest request;
  request.prompt = {0};
  request.sampling.temperature = 0;
  Sampler sampler(request, 0);
  EXPECT_EQ(NextOf(sampler, {1, 3, 2, 3}), 1);
  EXPECT_EQ(NextOf(sampler, std::vector<float>(1000, -2.0f)), 0);
  EXPECT_EQ(sampler.count(), 2);
}

TEST(SamplerTest, TinyTemperatureIsGreedy) {
  GenerationRequest request;
  request.sampling.temperature = 1e-9;
  Sampler sampler(request, 0);
  EXPECT_EQ(NextOf(sampler, {1, 1.0001f, 1}), 1);
}

TEST(SamplerTest, DistributionsAreTheReference) {
  std::mt19937 random(5);
  const auto chance = [&](int in) { return random() % static_cast<uint32_t>(in) == 0; };
  double worst = 0;
  for (int round = 0; round < TestRounds(150); ++round) {
    const size_t vocab = 2 + random() % 300;
    const auto logits = RandomLogits(vocab, 1.5f, random);
    GenerationRequest request;
    SamplingParams& params = request.sampling;
    params.seed = random();
    params.temperature = 0.3 + static_cast<double>(random() % 20) / 10;
    if (chance(2)) params.top_k = static_cast<int32_t>(1 + random() % (vocab + 5));
    if (chance(2)) params.top_p = static_cast<double>(1 + random() % 100) / 100;
    if (chance(3)) params.min_p = static_cast<double>(random() % 100) / 200;
    if (chance(3)) params.repetition_penalty = 1.3;
    if (chance(3)) params.presence_penalty = 0.7;
    if (chance(3)) params.frequency_penalty = -0.4;
    const auto token = [&] { return static_cast<TokenId>(random() % vocab); };
    if (chance(3)) params.logit_bias = {{token(), 1.5f}, {token(), -100.0f}};
    for (size_t i = random() % 8; i > 0; --i) request.prompt.push_back(token());
    const auto p = Reference(logits, request, {});
    constexpr int kDraws = 4000;
    std::vector<int> counts(vocab);
    SamplerScratch scratch;
    for (int32_t choice = 0; choice < kDraws; ++choice) {
      Sampler sampler(request, choice);
      auto row = logits;
      const auto next = sampler.Next(row, scratch);
      ASSERT_TRUE(next.has_value());
      const auto id = static_cast<size_t>(next->token);
      ASSERT_GT(p[id], 0.0) << "round " << round << ": token " << id << " was filtered";
      ++counts[id];
    }
    worst = std::max(worst, ZScore(counts, p, kDraws));
  }
  EXPECT_LT(worst, 4.5);
}

TEST(SamplerTest, PenaltiesFollowTheOutput) {
  std::mt19937 random(6);
  for (int round = 0; round < 50; ++round) {
    constexpr size_t kVocab = 20;
    GenerationRequest request;
    request.prompt = {3, 3, 5};
    request.stop_ids = {7};
    request.min_tokens = 10;
    request.sampling.temperature = 0;
    request.sampling.repetition_penalty = 1.2;
    request.sampling.presence_penalty = 0.5;
    request.sampling.frequency_penalty = 0.3;
    request.sampling.logit_bias = {{2, 1.0f}};
    Sampler sampler(request, 0);
    std::vector<TokenId> output;
    // The reference draws: at so low a temperature only the first in rank is likely.
    GenerationRequest sharp = request;
    sharp.sampling.temperature = 1e-4;
    for (int step = 0; step < 30; ++step) {
      const auto logits = RandomLogits(kVocab, 1.0f, random);
      const auto p = Reference(logits, sharp, output);
      const auto expected = std::max_element(p.begin(), p.end()) - p.begin();
      const TokenId next = NextOf(sampler, logits);
      ASSERT_EQ(next, expected) << "step " << step;
      ASSERT_TRUE(step >= 10 || next != 7);
      output.push_back(next);
    }
  }
}

TEST(SamplerTest, IgnoredEosIsNotMasked) {
  GenerationRequest request;
  request.stop_ids = {1};
  request.min_tokens = 5;
  request.ignore_eos = true;
  request.sampling.temperature = 0;
  Sampler sampler(request, 0);
  EXPECT_EQ(NextOf(sampler, {0, 9, 1}), 1);
}

TEST(SamplerTest, OneSeedOneAnswer) {
  std::mt19937 random(8);
  GenerationRequest request;
  request.sampling.seed = 99;
  const auto run = [&](uint64_t seed, int32_t choice) {
    std::mt19937 rows(1);
    request.sampling.seed = seed;
    Sampler sampler(request, choice);
    std::vector<TokenId> tokens;
    for (int i = 0; i < 30; ++i) tokens.push_back(NextOf(sampler, RandomLogits(50, 1.0f, rows)));
    return tokens;
  };
  EXPECT_EQ(run(1, 0), run(1, 0));
  EXPECT_NE(run(1, 0), run(2, 0));
  EXPECT_NE(run(1, 0), run(1, 1));
}

TEST(SamplerTest, WhatIsNotANumberIsAnError) {
  GenerationRequest request;
  SamplerScratch scratch;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Sampler sampler(request, 0);
    std::vector<float> logits = {0, bad, 1};
    const auto next = sampler.Next(logits, scratch);
    ASSERT_FALSE(next.has_value());
    EXPECT_EQ(next.error().code, ErrorCode::kInternal);
    EXPECT_EQ(sampler.count(), 0);
  }
}

TEST(SamplerTest, NothingLeftIsAnError) {
  GenerationRequest request;
  request.stop_ids = {0, 1};
  request.min_tokens = 1;
  Sampler sampler(request, 0);
  SamplerScratch scratch;
  std::vector<float> logits = {0, 1};
  EXPECT_FALSE(sampler.Next(logits, scratch).has_value());
}

TEST(SamplerTest, ExtremeLogitsStaySane) {
  const float huge = std::numeric_limits<float>::max();
  for (const double temperature : {1e-4, 1.0, 1e5}) {
    for (const double top_p : {0.5, 1.0}) {
      GenerationRequest request;
      request.sampling.temperature = temperature;
      request.sampling.top_p = top_p;
      Sampler sampler(request, 0);
      EXPECT_EQ(NextOf(sampler, {-huge, huge, -huge, 0}), 1);
    }
  }
}

TEST(SamplerTest, LogprobsAreOfTheRawLogits) {
  std::mt19937 random(9);
  const auto logits = RandomLogits(500, 2.0f, random);
  GenerationRequest request;
  request.logprobs = 5;
  request.sampling.temperature = 0;
  request.sampling.logit_bias = {{17, 50.0f}};
  Sampler sampler(request, 0);
  SamplerScratch scratch;
  auto row = logits;
  const auto next = sampler.Next(row, scratch);
  ASSERT_TRUE(next && next->logprob);
  EXPECT_EQ(next->token, 17);
  long double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<long double>(logit));
  const auto expect = [&](TokenId id, float logprob) {
    EXPECT_FLOAT_EQ(logprob, static_cast<float>(logits[static_cast<size_t>(id)] - std::log(sum)));
  };
  expect(17, next->logprob->logprob);
  ASSERT_EQ(next->logprob->top.size(), 5u);
  auto sorted = logits;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  for (size_t i = 0; i < 5; ++i) {
    const auto& [id, logprob] = next->logprob->top[i];
    EXPECT_EQ(logits[static_cast<size_t>(id)], sorted[i]);
    expect(id, logprob);
  }
}

TEST(SamplerTest, NucleusAgreesWithASort) {
  std::mt19937 random(10);
  for (int round = 0; round < 300; ++round) {
    const auto logits = RandomLogits(1 + random() % 3000, 1.0f, random);
    std::vector<RankedToken> tokens;
    for (size_t id = 0; id < logits.size(); ++id) {
      // Few distinct values: ties lie across the border.
      const float logit = round % 2 == 0 ? logits[id] : std::round(logits[id] * 2) / 2;
      tokens.push_back({logit, static_cast<TokenId>(id)});
    }
    auto sorted = tokens;
    std::sort(sorted.begin(), sorted.end(), RanksBefore);
    const float largest = sorted[0].logit;
    const double top_p = static_cast<double>(1 + random() % 99) / 100;
    const auto weight = [&](const RankedToken& t) {
      return static_cast<double>(std::exp(t.logit - largest));
    };
    double total = 0, sum = 0;
    for (const RankedToken& t : sorted) total += weight(t);
    size_t keep = 0;
    while (sum < top_p * total * (1 - 1e-12) && keep < sorted.size()) sum += weight(sorted[keep++]);
    KeepNucleus(tokens, largest, 1.0f, top_p);
    std::sort(tokens.begin(), tokens.end(), RanksBefore);
    sorted.resize(keep);
    ASSERT_EQ(tokens, sorted) << "round " << round;
  }
}

}  // namespace
}  // namespace jikji
