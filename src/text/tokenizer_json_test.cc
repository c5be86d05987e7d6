#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/json.h"
#include "text/tokenizer.h"

namespace jikji {
namespace {

const std::filesystem::path kSource = JIKJI_SOURCE_DIR;
const std::filesystem::path kData = kSource / "../shared/data/tokenizers";

std::vector<TokenId> Ids(const boost::json::value& value) {
  return boost::json::value_to<std::vector<TokenId>>(value);
}

TEST(TokenizerJsonTest, MistralEqualsItsGoldenEncodings) {
  if (!std::filesystem::exists(kData / "mistral")) GTEST_SKIP() << "no ../shared/data";
  const auto tokenizer = LoadTokenizerJson(kData / "mistral/tokenizer.json");
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  const auto goldens = ParseJsonFile((kData / "mistral/encodings.json").string());
  ASSERT_TRUE(goldens);
  const auto& entries = goldens->at("entries").as_array();
  ASSERT_GT(entries.size(), 20u);
  for (const auto& entry : entries) {
    const std::string text(entry.at("text").as_string());
    EXPECT_EQ((*tokenizer)->Encode(text, {.parse_special = true}), Ids(entry.at("ids"))) << text;
    const auto with_special =
        (*tokenizer)->Encode(text, {.add_special = true, .parse_special = true});
    EXPECT_EQ(with_special, Ids(entry.at("ids_special"))) << text;
    EXPECT_EQ((*tokenizer)->Decode(Ids(entry.at("ids")), false),
              std::string(entry.at("decode").as_string()));
  }
}

TEST(TokenizerJsonTest, BuiltInModel) {
  const auto loaded = LoadTokenizerJson(kSource / "models/jikji-mini-ko/tokenizer.json");
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  const Tokenizer& tokenizer = **loaded;
  EXPECT_EQ(tokenizer.vocab_size(), 4096);
  EXPECT_EQ(tokenizer.bos(), 0);
  EXPECT_EQ(tokenizer.eos(), 5);
  const std::string text = "안녕하세요, 세계! 👩‍👩‍👧 <|end|>";
  const auto plain = tokenizer.Encode(text);
  EXPECT_EQ(tokenizer.Decode(plain), text);
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 5), 0);
  const auto special = tokenizer.Encode(text, {.parse_special = true});
  EXPECT_EQ(special.back(), 5);
  EXPECT_EQ(tokenizer.Decode(special, false), text);
}

}  // namespace
}  // namespace jikji
