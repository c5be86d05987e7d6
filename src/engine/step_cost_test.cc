#include "engine/step_cost.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace jikji {
namespace {

TEST(StepCostTest, WithoutALimitPromptsTakeAll) {
  EXPECT_EQ(StepCost(0).PromptTokens(1), std::numeric_limits<int32_t>::max());
}

TEST(StepCostTest, StreamsAreMeasuredAloneFirstAndNowAndThen) {
  StepCost cost(2.5);
  EXPECT_EQ(cost.PromptTokens(4), 0);
  cost.Observe(4, 0, 0.010);
  int beside = 0;
  for (; cost.PromptTokens(4) > 0; ++beside) {
    ASSERT_LT(beside, 100);
    cost.Observe(4, cost.PromptTokens(4), 0.020);
  }
  EXPECT_GT(beside, 8);
  cost.Observe(4, 0, 0.010);
  EXPECT_GT(cost.PromptTokens(4), 0);
}

TEST(StepCostTest, ARowsShareFollowsTheMeasuredCost) {
  StepCost cost(2.5);
  EXPECT_LT(cost.RowShare(1), 0.2);  // before anything is measured, what CPUs are like
  EXPECT_GT(cost.RowShare(64), 0.9);
  cost.Observe(2, 0, 0.010);
  for (int i = 0; i < 10; ++i) cost.Observe(2, 10, 0.020);
  EXPECT_NEAR(cost.RowShare(2), 2 * 0.001 / 0.010, 1e-6);
  for (int i = 0; i < 10; ++i) cost.Observe(2, 10, 0.020);
  EXPECT_EQ(cost.RowShare(2), 1);  // no drafts in the step that is to show what streams cost alone
}

// Deep in a prompt, where a row costs as much as a step of streams: one at a time, never none.
TEST(StepCostTest, DearRowsGoOneByOne) {
  StepCost cost(2);
  cost.Observe(4, 0, 0.010);
  for (int step = 0; step < 200; ++step) {
    const int32_t chunk = cost.PromptTokens(4);
    if (step >= 20) {
      EXPECT_LE(chunk, 1) << step;
    }
    cost.Observe(4, chunk, 0.010 + 0.012 * chunk);
  }
}

// A simulated machine with noise, streams that come and go and a prompt whose rows get dearer: the
// 99th percentile of the time between tokens stays below three times the median.
TEST(StepCostTest, ALongPromptDoesNotStallStreams) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> noise(0, 0.05);
  for (const double free_rows : {2.0, 6.0, 20.0}) {
    for (const int32_t most_streams : {1, 4, 16}) {
      StepCost cost(2.5);
      std::vector<double> gaps;
      int64_t prompt_done = 0;
      int32_t streams = most_streams;
      double prompt_seconds = 0, all_seconds = 0;
      for (int step = 0; prompt_done < 8192; ++step) {
        ASSERT_LT(step, 20000);
        if (step % 50 == 49) streams = 1 + static_cast<int32_t>(random() % most_streams);
        const int32_t chunk = std::min(cost.PromptTokens(streams), 256 - streams);
        // Attention over 8,192 positions triples a row's cost.
        const double row = 0.001 * (1 + 2 * static_cast<double>(prompt_done) / 8192);
        const double alone = 0.001 * (free_rows + streams);
        const double seconds = (alone + row * chunk) * noise(random);
        cost.Observe(streams, chunk, seconds);
        prompt_done += chunk;
        prompt_seconds += seconds - alone;
        all_seconds += seconds;
        for (int32_t s = 0; s < streams; ++s) gaps.push_back(seconds);
      }
      std::ranges::sort(gaps);
      const double median = gaps[gaps.size() / 2];
      const double late = gaps[gaps.size() * 99 / 100];
      EXPECT_LT(late, 3 * median) << free_rows << " " << most_streams;
      // Nor does the prompt starve.
      EXPECT_GT(prompt_seconds, 0.4 * all_seconds) << free_rows << " " << most_streams;
    }
  }
}

}  // namespace
}  // namespace jikji
