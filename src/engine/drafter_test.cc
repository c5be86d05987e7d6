#include "engine/drafter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace jikji {
namespace {

using ::testing::ElementsAre;
using Tokens = std::vector<TokenId>;

// Follows the sequence as the engine does; returns the drafts that were given out.
int32_t Follow(Drafter& drafter, Tokens& tokens, TokenId next, double row_share = 0.2) {
  const int32_t drafts = drafter.Guess(tokens, 4, row_share);
  drafter.Observe(next);
  tokens.push_back(next);
  return drafts;
}

TEST(DrafterTest, GuessesWhatFollowedLastTime) {
  Drafter drafter;
  EXPECT_EQ(drafter.Guess(Tokens{1, 2, 3, 4, 5, 6, 7, 1, 2, 3}, 4, 0), 0);  // nothing proven
  EXPECT_THAT(drafter.guesses(), ElementsAre(4));
  for (int i = 0; i < 100; ++i) {
    drafter.Guess(Tokens{1, 2, 3, 4, 5, 6, 7, 1, 2, 3}, 4, 0.2);
    drafter.Observe(4);
  }
  EXPECT_EQ(drafter.Guess(Tokens{1, 2, 3, 4, 5, 6, 7, 1, 2, 3}, 4, 0.2), 4);
  EXPECT_THAT(drafter.guesses(), ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(drafter.Guess(Tokens{1, 2, 3, 4, 5, 6, 7, 1, 2, 3}, 2, 0.2), 2);
  EXPECT_EQ(drafter.Guess(Tokens{1, 2, 3, 4, 5, 6, 7, 1, 2, 3}, 0, 0.2), 0);
}

TEST(DrafterTest, TheLatestOfSeveralCounts) {
  Drafter drafter;
  drafter.Guess(Tokens{1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3}, 4, 1);
  EXPECT_THAT(drafter.guesses(), ElementsAre(5));
  drafter.Guess(Tokens{1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3, 9}, 4, 1);
  EXPECT_TRUE(drafter.guesses().empty());
  Drafter shortest;
  EXPECT_EQ(shortest.Guess(Tokens{1, 1, 1}, 4, 0), 0);
  EXPECT_TRUE(shortest.guesses().empty());
  shortest.Guess(Tokens{1, 1, 1, 1}, 4, 0);
  EXPECT_THAT(shortest.guesses(), ElementsAre(1));
}

TEST(DrafterTest, RepetitionSwitchesOnAndItsEndSwitchesOff) {
  Drafter drafter;
  Tokens tokens;
  std::mt19937 random(1);
  for (int i = 0; i < 40; ++i) tokens.push_back(static_cast<TokenId>(1000 + random() % 1000));
  const Tokens past = tokens;
  int steps_to_on = 0;
  for (size_t i = 0; i < past.size(); ++i) {
    if (Follow(drafter, tokens, past[i]) == 0) ++steps_to_on;
  }
  EXPECT_LE(steps_to_on, static_cast<int>(Drafter::kGram) + 2);
  // From here on what followed once never follows again.
  int wrong = 0;
  for (int i = 0; i < 200; ++i) {
    for (const TokenId token : {1, 2, 3}) Follow(drafter, tokens, token);
    const int32_t drafts = drafter.Guess(tokens, 4, 0.2);
    wrong += drafts;
    drafter.Observe(5000 + i);
    tokens.push_back(5000 + i);
  }
  EXPECT_LT(drafter.rate(), 0.75);
  EXPECT_LE(wrong, 200 * 3);
}

// Whatever the row's share, the chance of every draft given out is above it.
TEST(DrafterTest, DraftsAreThoseThatPay) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    Drafter drafter;
    Tokens tokens;
    const double row_share = 0.05 + 0.9 * static_cast<double>(random() % 100) / 100;
    for (int i = 0; i < 200; ++i) {
      const double rate = drafter.rate();
      const int32_t drafts = drafter.Guess(tokens, 4, row_share);
      ASSERT_LE(drafts, 4);
      ASSERT_LE(static_cast<size_t>(drafts), drafter.guesses().size());
      if (drafts > 0) {
        ASSERT_GT(std::pow(rate, drafts), row_share);
      }
      const auto next = static_cast<TokenId>(random() % 3);
      drafter.Observe(next);
      tokens.push_back(next);
    }
  }
}

}  // namespace
}  // namespace jikji
