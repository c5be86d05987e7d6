#include <gtest/gtest.h>

#include "base/file.h"
#include "text/testing.h"

namespace jikji {
namespace {

// Base64 of every byte, then of "ab" and "abc".
std::string Ranks() {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (int byte = 0; byte < 256; ++byte) {
    out += kAlphabet[byte >> 2];
    out += kAlphabet[(byte & 3) << 4];
    out += "== " + std::to_string(byte) + "\n";
  }
  return out + "YWI= 256\nYWJj 257\n";
}

class TiktokenTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<const Tokenizer>> Load(const std::string& ranks,
                                                std::span<const SpecialToken> special = {},
                                                std::string_view pattern = "cl100k") {
    const auto path = folder_.path() / "ranks.tiktoken";
    EXPECT_TRUE(WriteFileAtomic(path, ranks));
    return LoadTiktoken(path, pattern, special);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(TiktokenTest, EncodesAndDecodes) {
  const SpecialToken special[] = {{"<|endoftext|>", 300}};
  const auto tokenizer = Load(Ranks(), special);
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  EXPECT_EQ((*tokenizer)->Encode("abc ab"), (std::vector<TokenId>{257, ' ', 256}));
  const std::string text = "가<|endoftext|>";
  EXPECT_EQ((*tokenizer)->Encode(text).size(), text.size());
  EXPECT_EQ((*tokenizer)->Encode(text, {.parse_special = true}),
            (std::vector<TokenId>{0xEA, 0xB0, 0x80, 300}));
  EXPECT_EQ((*tokenizer)->vocab_size(), 301);
  EXPECT_EQ((*tokenizer)->eos(), 300);
  EXPECT_TRUE((*tokenizer)->IsSpecial(300));
  EXPECT_EQ((*tokenizer)->TokenBytes(299), "");  // a hole
}

TEST_F(TiktokenTest, IllFormedBytesBecomeReplacementCharacters) {
  const auto tokenizer = Load(Ranks());
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ((*tokenizer)->Encode("\xEA\xB0"), (std::vector<TokenId>{0xEF, 0xBF, 0xBD}));
}

TEST_F(TiktokenTest, MalformedRanks) {
  const std::pair<std::string, const char*> cases[] = {
      {"YWI=\n", ":1"},           {"Y-I= 0\n", ":1"},
      {"YWI= x\n", ":1"},         {"YWI= 9999999999\n", ":1"},
      {"YQ== 0\nYg== 0\n", ":2"}, {"YQ== 0\n", "ranks.tiktoken"}};
  for (const auto& [ranks, where] : cases) {
    const auto tokenizer = Load(ranks);
    ASSERT_FALSE(tokenizer) << ranks;
    EXPECT_EQ(tokenizer.error().code, ErrorCode::kMalformed);
    EXPECT_NE(tokenizer.error().where.find(where), std::string::npos)
        << tokenizer.error().ToString();
  }
  EXPECT_FALSE(Load(Ranks() + "YWI= 258\n"));  // one token, two ranks
  const SpecialToken taken[] = {{"<|x|>", 5}};
  EXPECT_EQ(Load(Ranks(), taken).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Load(Ranks(), {}, "p99k").error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace jikji
