#include "engine/prompt_budget.h"

#include <gtest/gtest.h>

namespace jikji {
namespace {

TEST(PromptBudgetTest, TakesWhatIsLeft) {
  PromptBudget budget(16, 4, nullptr);
  EXPECT_EQ(budget.Take(10, false), 10);
  EXPECT_FALSE(budget.spent());
  EXPECT_EQ(budget.Take(10, false), 6);
  EXPECT_TRUE(budget.spent());
  EXPECT_EQ(budget.Take(10, false), 0);
}

TEST(PromptBudgetTest, ScoredPromptsAreBounded) {
  PromptBudget budget(64, 8, nullptr);
  EXPECT_EQ(budget.Take(100, true), 8);
  EXPECT_EQ(budget.Take(100, true), 0);
  EXPECT_EQ(budget.Take(100, false), 56);
}

TEST(PromptBudgetTest, ChunkOverrideIsHeldToItsLimits) {
  const std::function<int32_t(int32_t)> nothing = [](int32_t) { return 0; };
  PromptBudget least(16, 1, nothing);
  EXPECT_EQ(least.Take(10, false), 1);
  const std::function<int32_t(int32_t)> everything = [](int32_t) { return 99; };
  PromptBudget most(16, 1, everything);
  EXPECT_EQ(most.Take(10, false), 10);
  EXPECT_EQ(most.Take(10, false), 6);
}

}  // namespace
}  // namespace jikji
