#include "measure/harness/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace jikji::measure {
namespace {

Metric Coins(size_t items, double heads, uint32_t seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution coin(heads);
  Metric metric{.name = "acc", .kind = MetricKind::kMean, .first = {}, .second = {}};
  for (size_t i = 0; i < items; ++i) metric.first.push_back(coin(random) ? 1 : 0);
  return metric;
}

TEST(BootstrapTest, TheIntervalOfAShareIsThatOfTheBinomial) {
  const Metric coins = Coins(2000, 0.7, 1);
  const Estimate estimate = Bootstrap(std::span(&coins, 1), 1234);
  EXPECT_DOUBLE_EQ(estimate.value, coins.Value());
  const double half = 1.96 * std::sqrt(estimate.value * (1 - estimate.value) / 2000);
  EXPECT_NEAR(estimate.high - estimate.value, half, 0.15 * half);
  EXPECT_NEAR(estimate.value - estimate.low, half, 0.15 * half);
}

TEST(BootstrapTest, IntervalsHoldTheTruthAsOftenAsTheySay) {
  int held = 0;
  for (uint32_t round = 0; round < 200; ++round) {
    const Metric coins = Coins(100, 0.6, round + 10);
    const Estimate estimate = Bootstrap(std::span(&coins, 1), round);
    held += estimate.low <= 0.6 && 0.6 <= estimate.high ? 1 : 0;
  }
  EXPECT_GE(held, 180);
  EXPECT_LE(held, 199);
}

TEST(BootstrapTest, TheSeedDecides) {
  const Metric coins = Coins(50, 0.5, 2);
  const Estimate once = Bootstrap(std::span(&coins, 1), 7);
  const Estimate again = Bootstrap(std::span(&coins, 1), 7);
  EXPECT_EQ(once.low, again.low);
  EXPECT_EQ(once.high, again.high);
}

TEST(BootstrapTest, WhatIsHardForBothDropsOutOfTheDifference) {
  // Both answer the same items right, but for every twentieth.
  const Metric ours = Coins(400, 0.5, 3);
  Metric theirs = ours;
  for (size_t i = 0; i < theirs.first.size(); i += 20) theirs.first[i] = 0;
  const Estimate difference = BootstrapDifference(std::span(&ours, 1), std::span(&theirs, 1), 5);
  EXPECT_DOUBLE_EQ(difference.value, ours.Value() - theirs.Value());
  EXPECT_GT(difference.low, 0) << "a small gain on the same items is a sure one";
  const Estimate alone = Bootstrap(std::span(&ours, 1), 5);
  EXPECT_LT(difference.high - difference.low, (alone.high - alone.low) / 2);
  const Estimate none = BootstrapDifference(std::span(&ours, 1), std::span(&ours, 1), 5);
  EXPECT_EQ(none.low, 0);
  EXPECT_EQ(none.high, 0);
}

TEST(BootstrapTest, AGroupIsTheMeanOfItsTasks) {
  const std::vector<Metric> tasks = {Coins(10, 0.5, 4), Coins(1000, 0.9, 5)};
  const Estimate group = Bootstrap(tasks, 1);
  EXPECT_DOUBLE_EQ(group.value, (tasks[0].Value() + tasks[1].Value()) / 2);
  EXPECT_LT(group.low, group.value);
  EXPECT_GT(group.high, group.value);
}

}  // namespace
}  // namespace jikji::measure
