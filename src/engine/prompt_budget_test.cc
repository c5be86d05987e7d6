#include "engine/prompt_budget.h"

#include <gtest/gtest.h>

namespace jikji {
namespace {

TEST(PromptBudgetTest, TakesWhatIsLeft) {
  PromptBudget budget(16, 4, nullptr);
  EXPECT_EQ(budget.Take(10, 10), 10);
  EXPECT_FALSE(budget.spent());
  EXPECT_EQ(budget.Take(10, 10), 6);
  EXPECT_TRUE(budget.spent());
  EXPECT_EQ(budget.Take(10, 10), 0);
}

TEST(PromptBudgetTest, ScoredPromptsAreBounded) {
  PromptBudget budget(64, 8, nullptr);
  EXPECT_EQ(budget.Take(100, 0), 8);
  EXPECT_EQ(budget.Take(100, 0), 0);
  EXPECT_EQ(budget.Take(100, 100), 56);
}

TEST(PromptBudgetTest, WhatIsNotScoredDoesNotCountAsScored) {
  PromptBudget budget(64, 8, nullptr);
  EXPECT_EQ(budget.Take(30, 25), 30);
  EXPECT_EQ(budget.Take(30, 10), 13);  // 5 of the 8 are taken
  EXPECT_EQ(budget.Take(30, 2), 2);
}

TEST(PromptBudgetTest, ChunkOverrideIsHeldToItsLimits) {
  const std::function<int32_t(int32_t)> nothing = [](int32_t) { return 0; };
  PromptBudget least(16, 1, nothing);
  EXPECT_EQ(least.Take(10, 10), 1);
  const std::function<int32_t(int32_t)> everything = [](int32_t) { return 99; };
  PromptBudget most(16, 1, everything);
  EXPECT_EQ(most.Take(10, 10), 10);
  EXPECT_EQ(most.Take(10, 10), 6);
}

}  // namespace
}  // namespace jikji
