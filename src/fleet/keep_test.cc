#include "fleet/keep.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_rounds.h"

namespace jikji::fleet {
namespace {

using State = LaunchedNode::State;
using Ends = std::vector<size_t>;

TEST(Keep, StartsWhatIsMissing) {
  EXPECT_EQ(Keep({}, 8).start, 8);
  const std::vector<LaunchedNode> nodes = {
      {State::kRunning}, {State::kPending}, {State::kEnding}, {State::kLost}};
  const KeepPlan plan = Keep(nodes, 3);
  EXPECT_EQ(plan.start, 1);
  EXPECT_TRUE(plan.end.empty());
}

TEST(Keep, EndsWhatIsTooMuchTheYoungestFirst) {
  const std::vector<LaunchedNode> nodes = {
      {State::kRunning}, {State::kPending}, {State::kRunning}, {State::kRunning}};
  EXPECT_EQ(Keep(nodes, 2).end, (Ends{1, 3}));
  EXPECT_EQ(Keep(nodes, 0).end, (Ends{0, 1, 2, 3}));
}

TEST(Keep, ALeavingNodeServesUntilItIsReplaced) {
  std::vector<LaunchedNode> nodes = {{State::kRunning, true}, {State::kRunning}};
  EXPECT_EQ(Keep(nodes, 2).start, 1);
  EXPECT_TRUE(Keep(nodes, 2).end.empty());
  nodes.push_back({State::kPending});
  EXPECT_EQ(Keep(nodes, 2).start, 0);
  EXPECT_TRUE(Keep(nodes, 2).end.empty());
  nodes.back().state = State::kRunning;
  EXPECT_EQ(Keep(nodes, 2).end, Ends{0});
}

// Whatever there is: carrying the plan out reaches what is wanted, and never ends a node that is
// needed.
TEST(Keep, ReachesWhatIsWanted) {
  std::mt19937_64 random(3);
  for (int round = 0; round < TestRounds(5000); ++round) {
    std::vector<LaunchedNode> nodes(random() % 12);
    for (LaunchedNode& node : nodes) {
      node = {static_cast<State>(random() % 4), random() % 4 == 0};
    }
    const auto wanted = static_cast<int32_t>(random() % 10);
    const KeepPlan plan = Keep(nodes, wanted);
    int32_t staying = plan.start;
    for (size_t i = 0; i < nodes.size(); ++i) {
      const bool ends = std::ranges::find(plan.end, i) != plan.end.end();
      const bool lives = nodes[i].state == State::kRunning || nodes[i].state == State::kPending;
      EXPECT_TRUE(!ends || lives);
      staying += lives && !nodes[i].leaves && !ends;
    }
    EXPECT_EQ(staying, wanted);
    for (const size_t i : plan.end) nodes[i].state = State::kEnding;
    nodes.insert(nodes.end(), static_cast<size_t>(plan.start), {State::kRunning});
    EXPECT_EQ(Keep(nodes, wanted).start, 0);
  }
}

}  // namespace
}  // namespace jikji::fleet
