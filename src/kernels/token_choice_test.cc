#include "kernels/token_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace jikji::kernels {
namespace {

TEST(TokenChoice, ExpIsWithinItsError) {
  double worst = 0;
  for (float x = 0; x > -87.0f; x -= 1.7e-5f + x * -1e-5f) {
    const double exact = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::abs(ExpWeight(x) - exact) / exact);
  }
  EXPECT_LT(worst, 3e-7);
}

TEST(TokenChoice, ExpHasEnds) {
  EXPECT_EQ(ExpWeight(0), 1.0f);
  EXPECT_EQ(ExpWeight(-0.0f), 1.0f);
  EXPECT_EQ(ExpWeight(-1e30f), 0.0f);
  EXPECT_EQ(ExpWeight(-std::numeric_limits<float>::infinity()), 0.0f);
}

TEST(TokenChoice, RankIsByLogitThenById) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // Each is before all that follow.
  const std::pair<float, int32_t> ranked[] = {
      {kInfinity, 9},  {3e38f, 0},           {1.5f, 2},    {1.5f, 3},  {1e-45f, 5}, {-0.0f, 1},
      {0.0f, 2},       {-0.0f, 3},           {-1e-45f, 0}, {-2.0f, 0}, {-2.0f, 7},  {-3e38f, 1},
      {-kInfinity, 0}, {-kInfinity, 1 << 20}};
  for (size_t i = 0; i < std::size(ranked); ++i) {
    const auto& [logit, id] = ranked[i];
    EXPECT_EQ(RankedId(RankKey(logit, id)), id);
    EXPECT_EQ(RankedLogit(RankKey(logit, id)), logit);
    EXPECT_LT(RankFloor(logit), RankKey(logit, id));
    EXPECT_GT(RankKey(logit, id), 0u);
    for (size_t k = i + 1; k < std::size(ranked); ++k) {
      EXPECT_GT(RankKey(logit, id), RankKey(ranked[k].first, ranked[k].second)) << i << " " << k;
      const bool less = ranked[k].first < logit;
      EXPECT_TRUE(!less || RankFloor(logit) > RankKey(ranked[k].first, 0)) << i << " " << k;
    }
  }
}

TEST(TokenChoice, TargetsAreWithinTheTotal) {
  EXPECT_EQ(DrawTarget(0, 1000), 0u);
  EXPECT_EQ(DrawTarget(~0ull, 1000), 999u);
  EXPECT_EQ(DrawTarget(1ull << 63, 1000), 500u);
  constexpr uint64_t kMost = (1ull << 63) - 1;
  EXPECT_EQ(DrawTarget(~0ull, kMost), kMost - 1);
  EXPECT_EQ(DrawTarget(0x8000000080000000ull, 1ull << 62), 0x2000000020000000ull);
  EXPECT_EQ(NucleusTarget(0.5, 1000), 500u);
  EXPECT_EQ(NucleusTarget(1e-9, 1000), 1u);
  EXPECT_EQ(NucleusTarget(1.0, kMost), kMost);
}

TEST(TokenChoice, AdjustmentsAreInOrder) {
  EXPECT_EQ(
      AdjustedLogit(2.0f, {.token = 0, .masked = 0, .bias = 1, .repeated = 1, .penalty = 0.5f}, 2),
      1.0f);
  EXPECT_EQ(
      AdjustedLogit(-2.0f, {.token = 0, .masked = 0, .bias = 1, .repeated = 1, .penalty = 0}, 2),
      -2.0f);
  EXPECT_EQ(
      AdjustedLogit(2.0f, {.token = 0, .masked = 1, .bias = 1, .repeated = 0, .penalty = 0}, 1),
      -std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace jikji::kernels
