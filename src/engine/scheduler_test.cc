#include "engine/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace jikji {
namespace {

using ::testing::ElementsAre;

constexpr RunningState kDecoding = {};

RunningState Prefilling(int64_t left, bool scored = false) { return {left, scored}; }

TEST(SchedulerTest, DecodingAlwaysAdvances) {
  const std::vector<RunningState> running(10, kDecoding);
  const auto plan = PlanStep(running, {}, {.tokens = 4, .scored_tokens = 1});
  EXPECT_EQ(plan.tokens, std::vector<int32_t>(10, 1));
}

TEST(SchedulerTest, PromptsShareWhatDecodingLeaves) {
  const std::vector<RunningState> running = {Prefilling(10), kDecoding, Prefilling(10), kDecoding};
  const auto plan = PlanStep(running, {}, {.tokens = 16, .scored_tokens = 1});
  EXPECT_THAT(plan.tokens, ElementsAre(10, 1, 4, 1));
}

TEST(SchedulerTest, PromptsAdvanceEvenWhereDecodingTakesTheBudget) {
  const std::vector<RunningState> running = {kDecoding, kDecoding, Prefilling(5), Prefilling(5)};
  const auto plan = PlanStep(running, {}, {.tokens = 2, .scored_tokens = 1});
  EXPECT_THAT(plan.tokens, ElementsAre(1, 1, 1, 0));
}

TEST(SchedulerTest, AdmitsWhilePagesAndSlotsLast) {
  const std::vector<WaitingState> waiting = {{4, 3}, {4, 3}, {4, 1}};
  StepBudget budget{.tokens = 100, .scored_tokens = 1, .free_pages = 6, .free_slots = 8};
  EXPECT_EQ(PlanStep({}, waiting, budget).admitted, 2);
  budget.free_pages = 7;
  EXPECT_EQ(PlanStep({}, waiting, budget).admitted, 3);
  budget.free_slots = 1;
  EXPECT_EQ(PlanStep({}, waiting, budget).admitted, 1);
}

TEST(SchedulerTest, SmallDoesNotOvertakeLarge) {
  const std::vector<WaitingState> waiting = {{4, 5}, {4, 1}};
  const auto plan =
      PlanStep({}, waiting, {.tokens = 100, .scored_tokens = 1, .free_pages = 4, .free_slots = 8});
  EXPECT_EQ(plan.admitted, 0);
}

TEST(SchedulerTest, AdmitsNoneThatCouldNotStart) {
  const std::vector<RunningState> running = {Prefilling(100)};
  const std::vector<WaitingState> waiting = {{4, 1}};
  const auto plan = PlanStep(running, waiting,
                             {.tokens = 32, .scored_tokens = 1, .free_pages = 4, .free_slots = 8});
  EXPECT_EQ(plan.admitted, 0);
  EXPECT_THAT(plan.tokens, ElementsAre(32));
}

TEST(SchedulerTest, ScoredPromptsAreBounded) {
  const std::vector<RunningState> running = {Prefilling(100, true), Prefilling(100, true),
                                             Prefilling(100)};
  const auto plan = PlanStep(running, {}, {.tokens = 64, .scored_tokens = 8});
  EXPECT_THAT(plan.tokens, ElementsAre(8, 0, 56));
}

TEST(SchedulerTest, ChunkOverrideIsHeldToItsLimits) {
  const std::vector<RunningState> running = {Prefilling(10), kDecoding, Prefilling(10)};
  const StepBudget budget{.tokens = 16, .scored_tokens = 1};
  EXPECT_THAT(PlanStep(running, {}, budget, [](int32_t) { return 0; }).tokens,
              ElementsAre(1, 1, 1));
  EXPECT_THAT(PlanStep(running, {}, budget, [](int32_t) { return 99; }).tokens,
              ElementsAre(10, 1, 5));
}

// Whatever comes: the budget holds, decoding advances, and everything ends.
TEST(SchedulerTest, RandomLoadsEnd) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    struct Sequence {
      RunningState state;
      int64_t output_left;
      int32_t pages;
    };
    const auto pages_total = static_cast<int32_t>(1 + random() % 20);
    const auto slots = static_cast<int32_t>(1 + random() % 8);
    const auto tokens = static_cast<int32_t>(1 + random() % 40);
    std::vector<WaitingState> waiting;
    for (size_t i = random() % 30; i > 0; --i) {
      waiting.push_back({1 + static_cast<int64_t>(random() % 50),
                         static_cast<int32_t>(1 + random() % static_cast<uint32_t>(pages_total)),
                         random() % 4 == 0});
    }
    std::vector<Sequence> running;
    int steps = 0;
    while (!waiting.empty() || !running.empty()) {
      ASSERT_LT(++steps, 5000);
      std::vector<RunningState> states;
      int32_t used = 0;
      for (const Sequence& s : running) {
        states.push_back(s.state);
        used += s.pages;
      }
      const StepBudget budget{.tokens = tokens,
                              .scored_tokens = 4,
                              .free_pages = pages_total - used,
                              .free_slots = slots - static_cast<int32_t>(running.size())};
      const StepPlan plan = PlanStep(states, waiting, budget);
      ASSERT_EQ(plan.tokens.size(), running.size() + static_cast<size_t>(plan.admitted));
      for (int32_t i = 0; i < plan.admitted; ++i) {
        running.push_back({{waiting[0].prompt, waiting[0].scored},
                           static_cast<int64_t>(random() % 10),
                           waiting[0].pages});
        waiting.erase(waiting.begin());
      }
      const int32_t total = std::accumulate(plan.tokens.begin(), plan.tokens.end(), 0);
      ASSERT_GT(total, 0);
      ASSERT_LE(total, std::max(tokens, static_cast<int32_t>(states.size()) + 1));
      for (size_t i = running.size(); i-- > 0;) {
        Sequence& s = running[i];
        if (s.state.prompt_left == 0) {
          ASSERT_EQ(plan.tokens[i], 1);
          --s.output_left;
        }
        s.state.prompt_left -= s.state.prompt_left == 0 ? 0 : plan.tokens[i];
        ASSERT_GE(s.state.prompt_left, 0);
        if (s.state.prompt_left == 0 && s.output_left <= 0) {
          running.erase(running.begin() + static_cast<ptrdiff_t>(i));
        }
      }
    }
  }
}

}  // namespace
}  // namespace jikji
