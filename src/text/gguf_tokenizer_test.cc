// What GGUF vocabularies have of their own; llama.cpp's vectors are in
// model/gguf_vocabulary_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "text/tokenizer.h"

namespace jikji {
namespace {

// <unk> <s> </s>, two bytes, and a few words.
GgufVocabulary SentencePiece() {
  GgufVocabulary out;
  out.model = "llama";
  out.tokens = {"<unk>", "<s>", "</s>", "<0xEB>", "<0x8B>", "<0xA4>",
                "▁",     "가",  "나",   "가나",   "▁가나"};
  out.scores = {0, 0, 0, 0, 0, 0, -1, -2, -3, -4, -5};
  out.token_types = {2, 3, 3, 6, 6, 6, 1, 1, 1, 1, 1};
  out.bos = 1;
  out.eos = 2;
  out.unk = 0;
  return out;
}

TEST(GgufTokenizerTest, SentencePieceMergesByScoreAndFallsBackToBytes) {
  const auto tokenizer = LoadGgufTokenizer(SentencePiece());
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  EXPECT_EQ((*tokenizer)->Encode("가나"), (std::vector<TokenId>{10}));
  EXPECT_EQ((*tokenizer)->Encode("가나다", {.add_special = true}),
            (std::vector<TokenId>{1, 10, 3, 4, 5}));
  EXPECT_EQ((*tokenizer)->Decode(std::vector<TokenId>{1, 10, 3, 4, 5}), "가나다");
  EXPECT_EQ((*tokenizer)->Encode(""), std::vector<TokenId>{});
  EXPECT_EQ((*tokenizer)->Encode("x"), (std::vector<TokenId>{6, 0}));
}

TEST(GgufTokenizerTest, AMergeMayBeginWithACharacterThatIsNoToken) {
  GgufVocabulary vocabulary = SentencePiece();
  vocabulary.tokens[8] = "라";  // "나" is no token any more, "가나" still is
  const auto tokenizer = LoadGgufTokenizer(vocabulary);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ((*tokenizer)->Encode("가나"), (std::vector<TokenId>{10}));
  EXPECT_EQ((*tokenizer)->Encode("나"), (std::vector<TokenId>{6, 0}));
}

TEST(GgufTokenizerTest, NoSpacePrefixWhereTheFileSaysSo) {
  GgufVocabulary vocabulary = SentencePiece();
  vocabulary.add_space_prefix = false;
  vocabulary.add_bos = false;
  vocabulary.add_eos = true;
  const auto tokenizer = LoadGgufTokenizer(vocabulary);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ((*tokenizer)->Encode("가나", {.add_special = true}), (std::vector<TokenId>{9, 2}));
  EXPECT_FALSE((*tokenizer)->strips_leading_space());
}

GgufVocabulary ByteLevel() {
  GgufVocabulary out;
  out.model = "gpt2";
  out.pre = "qwen2";
  out.tokens = {"a", "b", "c", "abc", "<|im_end|>", "<tool>"};
  out.token_types = {1, 1, 1, 1, 1, 4};
  out.merges = {"a b", "ab c"};
  return out;
}

TEST(GgufTokenizerTest, MergesPassThroughWhatIsNoToken) {
  const auto tokenizer = LoadGgufTokenizer(ByteLevel());
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  EXPECT_EQ((*tokenizer)->Encode("abc"), (std::vector<TokenId>{3}));
  EXPECT_EQ((*tokenizer)->Encode("ab"), (std::vector<TokenId>{0, 1}));
}

TEST(GgufTokenizerTest, EndsOfTurnsAreControlTokensWhateverTheirType) {
  const auto tokenizer = LoadGgufTokenizer(ByteLevel());
  ASSERT_TRUE(tokenizer);
  EXPECT_TRUE((*tokenizer)->IsSpecial(4));
  EXPECT_EQ((*tokenizer)->Encode("a<|im_end|>", {.parse_special = true}),
            (std::vector<TokenId>{0, 4}));
  const auto plain = (*tokenizer)->Encode("a<|im_end|><tool>");
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 4), 0);
  EXPECT_EQ(plain.back(), 5);  // user-defined, not special
}

TEST(GgufTokenizerTest, BadVocabularies) {
  const auto error = [](GgufVocabulary vocabulary) {
    const auto tokenizer = LoadGgufTokenizer(std::move(vocabulary));
    EXPECT_FALSE(tokenizer);
    return tokenizer ? Error{} : tokenizer.error();
  };
  GgufVocabulary bad = ByteLevel();
  bad.model = "bert";
  EXPECT_EQ(error(bad).code, ErrorCode::kUnsupported);
  bad = ByteLevel();
  bad.pre = "unheard-of";
  EXPECT_EQ(error(bad).code, ErrorCode::kUnsupported);
  bad = ByteLevel();
  bad.tokens[1] = "a";
  EXPECT_EQ(error(bad).where, "tokenizer.ggml.tokens");
  bad = ByteLevel();
  bad.merges.push_back("nospace");
  EXPECT_EQ(error(bad).where, "tokenizer.ggml.merges");
  bad = ByteLevel();
  bad.token_types.pop_back();
  EXPECT_EQ(error(bad).where, "tokenizer.ggml.token_type");
  bad = ByteLevel();
  bad.eos = 6;
  EXPECT_EQ(error(bad).where, "tokenizer.ggml.eos_token_id");
  bad = SentencePiece();
  bad.scores[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error(bad).where, "tokenizer.ggml.scores");
  bad = SentencePiece();
  bad.tokens.clear();
  EXPECT_EQ(error(bad).where, "tokenizer.ggml.tokens");
}

}  // namespace
}  // namespace jikji
