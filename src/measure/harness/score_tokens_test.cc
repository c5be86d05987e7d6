#include "measure/harness/score_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace jikji::measure {
namespace {

using ::testing::ElementsAre;

const Tokenizer& MiniTokenizer() {
  static const auto tokenizer =
      LoadTokenizerJson(std::string(JIKJI_SOURCE_DIR) + "/models/jikji-mini-ko/tokenizer.json");
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  return **tokenizer;
}

std::vector<TokenId> Scored(const ScoreTokens& tokens) {
  return {tokens.tokens.end() - static_cast<ptrdiff_t>(tokens.scored), tokens.tokens.end()};
}

TEST(ScoreTokensTest, SpacesAtTheContextsEndBelongToTheContinuation) {
  const Tokenizer& tokenizer = MiniTokenizer();
  const auto plain = EncodePair(tokenizer, "질문: 봄은 따뜻한가? 답변:", "  예");
  const auto spaced = EncodePair(tokenizer, "질문: 봄은 따뜻한가? 답변: ", " 예");
  ASSERT_TRUE(plain && spaced);
  EXPECT_EQ(plain->tokens, spaced->tokens);
  EXPECT_EQ(plain->scored, spaced->scored);
  EXPECT_EQ(tokenizer.Decode(Scored(*spaced)), "  예");
}

TEST(ScoreTokensTest, ContextAndContinuationAreOneText) {
  const Tokenizer& tokenizer = MiniTokenizer();
  for (const char* continuation : {" 그렇다", " 아니다. 전혀!", " a", "\n\n다음"}) {
    const std::string context = "문장: 여행 가고 싶다 긍부정:";
    const auto pair = EncodePair(tokenizer, context, continuation);
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->tokens, tokenizer.Encode(context + continuation));
    EXPECT_EQ(tokenizer.Decode(Scored(*pair)), continuation);
  }
}

TEST(ScoreTokensTest, AnEmptyContextIsThePrefixToken) {
  const Tokenizer& tokenizer = MiniTokenizer();
  const auto pair = EncodePair(tokenizer, "", "봄이 왔다");
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->tokens.front(), *tokenizer.bos());
  EXPECT_EQ(Scored(*pair), tokenizer.Encode("봄이 왔다"));
  EXPECT_FALSE(EncodePair(tokenizer, "봄", ""));
  EXPECT_FALSE(EncodePair(tokenizer, " ", "봄")) << "a context of spaces alone has no token";
}

TEST(ScoreTokensTest, EndOfTextIsPythonsRstrip) {
  for (const char* space :
       {" ", "\n", "\t", "\x0B", "\x1F", "\xC2\x85", "\xC2\xA0", "\xE3\x80\x80", "\xE2\x80\xA8"}) {
    EXPECT_EQ(EndOfText(std::string("봄") + space + " " + space), 3u) << space;
  }
  EXPECT_EQ(EndOfText("봄"), 3u);
  EXPECT_EQ(EndOfText("a\xE2\x80\x8B"), 4u) << "a zero-width space is none";
  EXPECT_EQ(EndOfText("  "), 0u);
  EXPECT_EQ(EndOfText(""), 0u);
  EXPECT_EQ(EndOfText("a\x80\x80 "), 3u) << "what is not UTF-8 is no space";
}

TEST(ScoreTokensTest, TruncationKeepsTheEnd) {
  ScoreTokens tokens{.tokens = {1, 2, 3, 4, 5}, .scored = 2};
  ASSERT_TRUE(TruncateLeft(5, tokens));
  EXPECT_THAT(tokens.tokens, ElementsAre(1, 2, 3, 4, 5));
  ASSERT_TRUE(TruncateLeft(3, tokens));
  EXPECT_THAT(tokens.tokens, ElementsAre(3, 4, 5));
  EXPECT_FALSE(TruncateLeft(2, tokens));
}

// The example in the harness's own documentation: ten tokens, and a model that reads four.
TEST(ScoreTokensTest, RollingWindowsAreTheHarnesss) {
  std::vector<TokenId> tokens(10);
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto windows = RollingWindows(tokens, 99, 5);
  ASSERT_EQ(windows.size(), 3u);
  EXPECT_THAT(windows[0].tokens, ElementsAre(99, 0, 1, 2, 3));
  EXPECT_THAT(windows[1].tokens, ElementsAre(3, 4, 5, 6, 7));
  EXPECT_THAT(windows[2].tokens, ElementsAre(5, 6, 7, 8, 9));
  EXPECT_EQ(windows[2].scored, 2u);
}

TEST(ScoreTokensTest, RollingWindowsScoreEachTokenOnce) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<TokenId> tokens(random() % 60);
    for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 9);
    const size_t length = 2 + random() % 20;
    std::vector<TokenId> scored;
    for (const ScoreTokens& window : RollingWindows(tokens, 99, length)) {
      EXPECT_LE(window.tokens.size(), length);
      EXPECT_LT(window.scored, window.tokens.size());
      const auto part = Scored(window);
      scored.insert(scored.end(), part.begin(), part.end());
    }
    ASSERT_EQ(scored, tokens);
  }
}

}  // namespace
}  // namespace jikji::measure
