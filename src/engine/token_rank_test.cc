#include "engine/token_rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace jikji {
namespace {

std::vector<float> RandomLogits(size_t count, std::mt19937& random) {
  std::vector<float> logits(count);
  // Few distinct values, so that ties are common.
  for (float& value : logits) value = static_cast<float>(random() % 40) * 0.25f - 5.0f;
  return logits;
}

std::vector<RankedToken> Sorted(const std::vector<float>& logits) {
  std::vector<RankedToken> all;
  for (size_t id = 0; id < logits.size(); ++id) {
    all.push_back({logits[id], static_cast<TokenId>(id)});
  }
  std::sort(all.begin(), all.end(), RanksBefore);
  return all;
}

TEST(TokenRankTest, AgreesWithAFullSort) {
  std::mt19937 random(1);
  BlockMaxima blocks;
  std::vector<RankedToken> top;
  for (int round = 0; round < 500; ++round) {
    const auto logits = RandomLogits(1 + random() % 700, random);
    auto expected = Sorted(logits);
    blocks.Scan(logits);
    ASSERT_EQ(blocks.Top(), expected[0]);
    const size_t k = random() % (logits.size() + 3);
    blocks.TopK(k, top);
    expected.resize(std::min(k, expected.size()));
    ASSERT_EQ(top, expected) << "k " << k << " of " << logits.size();
  }
}

TEST(TokenRankTest, AtLeastIsInOrderOfId) {
  std::mt19937 random(2);
  const auto logits = RandomLogits(1000, random);
  BlockMaxima blocks;
  blocks.Scan(logits);
  std::vector<RankedToken> found;
  blocks.AtLeast(1.0f, found);
  size_t next = 0;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] < 1.0f) continue;
    ASSERT_LT(next, found.size());
    EXPECT_EQ(found[next++].id, static_cast<TokenId>(id));
  }
  EXPECT_EQ(next, found.size());
}

TEST(TokenRankTest, MaskedTokensRankLast) {
  std::vector<float> logits(200, -std::numeric_limits<float>::infinity());
  logits[130] = -3.0f;
  BlockMaxima blocks;
  blocks.Scan(logits);
  EXPECT_EQ(blocks.Top().id, 130);
}

TEST(TokenRankTest, FindsWhatIsNotANumber) {
  std::vector<float> logits(1001, 1.5f);
  EXPECT_TRUE(AllFinite(logits));
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const size_t at : {size_t{0}, size_t{500}, size_t{1000}}) {
      logits[at] = bad;
      EXPECT_FALSE(AllFinite(logits));
      logits[at] = std::numeric_limits<float>::max();
      EXPECT_TRUE(AllFinite(logits));
    }
  }
}

}  // namespace
}  // namespace jikji
