// Promise 5: whole characters. Deltas add up to the whole text and never split a character.
#include "text/detokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "text/testing.h"

namespace jikji {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Streams the ids; checks every delta; returns their sum.
std::string Stream(const std::shared_ptr<const Tokenizer>& tokenizer,
                   const std::vector<TokenId>& ids, bool skip_special) {
  Detokenizer detokenizer(tokenizer, skip_special);
  std::string all;
  for (const TokenId id : ids) {
    const std::string delta = detokenizer.Push(id);
    EXPECT_TRUE(IsValidUtf8(delta));
    all += delta;
  }
  const std::string rest = detokenizer.Finish();
  EXPECT_TRUE(IsValidUtf8(rest));
  return all + rest;
}

std::string RandomText(std::mt19937& random) {
  std::string text;
  const size_t length = random() % 24;
  for (size_t i = 0; i < length; ++i) {
    switch (random() % 6) {
      case 0:
        text += ' ';
        break;
      case 1:
        AppendUtf8(0x1F300 + random() % 0x300, text);  // emoji
        break;
      case 2:
        text += "👩‍👩‍👧‍👦";
        break;
      case 3:
        AppendUtf8(0x20 + random() % 0x5F, text);
        break;
      default:
        AppendUtf8(0xAC00 + random() % 11172, text);
    }
  }
  return text;
}

class DetokenizerTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    if (name != "jikji-mini-ko" && !std::filesystem::exists(testing::TokenizerData())) {
      GTEST_SKIP() << "no ../shared/data/tokenizers";
    }
    auto loaded = testing::LoadReference(name);
    ASSERT_TRUE(loaded) << loaded.error().ToString();
    tokenizer_ = *std::move(loaded);
  }
  std::shared_ptr<const Tokenizer> tokenizer_;
};

TEST_P(DetokenizerTest, RandomTokensAddUp) {
  std::mt19937 random(5);
  // Tokens that are parts of characters, which chance would seldom put side by side.
  std::vector<TokenId> partial;
  for (TokenId id = 0; id < tokenizer_->vocab_size(); ++id) {
    if (!IsValidUtf8(tokenizer_->TokenBytes(id))) partial.push_back(id);
  }
  ASSERT_FALSE(partial.empty());
  for (int stream = 0; stream < 100'000; ++stream) {
    std::vector<TokenId> ids(random() % 16);
    for (TokenId& id : ids) {
      const auto any = static_cast<TokenId>(
          random() % static_cast<uint32_t>(tokenizer_->vocab_size() + 2));  // out of range too
      id = random() % 2 == 0 ? partial[random() % partial.size()] : any;
    }
    const bool skip_special = stream % 2 == 0;
    ASSERT_EQ(Stream(tokenizer_, ids, skip_special), tokenizer_->Decode(ids, skip_special))
        << "stream " << stream;
  }
}

TEST_P(DetokenizerTest, ValidTextComesBackWhole) {
  std::mt19937 random(6);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = RandomText(random);
    const auto ids = tokenizer_->Encode(text);
    const std::string streamed = Stream(tokenizer_, ids, true);
    ASSERT_EQ(streamed, tokenizer_->Decode(ids));
    ASSERT_EQ(streamed.find(kReplacement), std::string::npos) << text;
    // SentencePiece drops one space at the start of a text.
    const bool dropped = tokenizer_->strips_leading_space() && text.starts_with(' ');
    ASSERT_EQ(streamed, dropped ? text.substr(1) : text);
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, DetokenizerTest,
                         ::testing::Values("jikji-mini-ko", "mistral", "llama3"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace jikji
