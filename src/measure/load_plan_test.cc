#include "measure/load_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace jikji::measure {
namespace {

constexpr int32_t kTokens[] = {3, 5, 8, 13, 21};

TEST(LoadPlanTest, PromptsShareThePrefixAndThenDiffer) {
  const LoadOptions options = {.requests = 20, .shared_prefix = 50, .lengths = {{30, 7}}};
  const auto plan = PlanLoad(options, kTokens);
  ASSERT_EQ(plan.size(), 20u);
  std::set<std::vector<int32_t>> own;
  for (const LoadRequest& request : plan) {
    ASSERT_EQ(request.prompt.size(), 80u);
    EXPECT_EQ(request.output, 7);
    EXPECT_FALSE(request.at);
    EXPECT_TRUE(
        std::equal(request.prompt.begin(), request.prompt.begin() + 50, plan[0].prompt.begin()));
    for (const int32_t token : request.prompt) {
      EXPECT_NE(std::find(std::begin(kTokens), std::end(kTokens), token), std::end(kTokens));
    }
    own.insert({request.prompt.begin() + 50, request.prompt.end()});
  }
  EXPECT_EQ(own.size(), 20u);
}

TEST(LoadPlanTest, ArrivalsArePoisson) {
  const auto plan = PlanLoad({.requests = 20000, .rate = 4, .lengths = {{1, 1}}}, kTokens);
  double sum = 0, squares = 0, last = 0;
  for (const LoadRequest& request : plan) {
    const double gap = *request.at - last;
    last = *request.at;
    ASSERT_GE(gap, 0);
    sum += gap;
    squares += gap * gap;
  }
  const double n = 20000, mean = sum / n, variance = squares / n - mean * mean;
  // Six standard errors of the mean and of the variance (1/rate^2, fourth moment 9/rate^4).
  EXPECT_NEAR(mean, 0.25, 6 * 0.25 / std::sqrt(n));
  EXPECT_NEAR(variance, 0.0625, 6 * std::sqrt(8.0) * 0.0625 / std::sqrt(n));
}

TEST(LoadPlanTest, EveryLengthOfTheTraceIsUsedBeforeOneIsUsedAgain) {
  std::vector<RequestLengths> lengths;
  for (int64_t i = 1; i <= 50; ++i) lengths.push_back({i, 2 * i});
  const auto plan = PlanLoad({.requests = 100, .lengths = lengths}, kTokens);
  std::vector<int> uses(51);
  for (const LoadRequest& request : plan) {
    EXPECT_EQ(request.output, 2 * static_cast<int64_t>(request.prompt.size()));
    ++uses[request.prompt.size()];
  }
  EXPECT_TRUE(std::all_of(uses.begin() + 1, uses.end(), [](int n) { return n == 2; }));
}

TEST(LoadPlanTest, TheSameSeedAsksTheSame) {
  const LoadOptions options = {.requests = 10, .rate = 1, .lengths = {{5, 5}, {9, 2}}};
  const auto a = PlanLoad(options, kTokens), b = PlanLoad(options, kTokens);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].prompt, b[i].prompt);
    EXPECT_EQ(a[i].at, b[i].at);
  }
}

}  // namespace
}  // namespace jikji::measure
