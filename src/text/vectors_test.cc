// Every tokenizer gives what the reference gives, for texts of our own making
// (tests/goldens/tokenizer/make_vectors.py).
#include <gtest/gtest.h>

#include "base/json.h"
#include "text/testing.h"

namespace jikji {
namespace {

class VectorsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(VectorsTest, EqualTheReference) {
  const std::string name = GetParam();
  if (name != "jikji-mini-ko" && !std::filesystem::exists(testing::TokenizerData())) {
    GTEST_SKIP() << "no ../shared/data/tokenizers";
  }
  const auto loaded = testing::LoadReference(name);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  const Tokenizer& tokenizer = **loaded;
  const auto goldens =
      ParseJsonFile((testing::SourceDir() / "tests/goldens/tokenizer/vectors.json").string());
  ASSERT_TRUE(goldens) << goldens.error().ToString();
  const auto& texts = goldens->at("texts").as_array();
  const auto& ids = goldens->at("ids").at(name).as_array();
  ASSERT_EQ(texts.size(), ids.size());
  ASSERT_GT(texts.size(), 200u);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string text(texts[i].as_string());
    const auto expected = boost::json::value_to<std::vector<TokenId>>(ids[i]);
    EXPECT_EQ(tokenizer.Encode(text), expected) << "text " << i << ": " << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, VectorsTest, ::testing::ValuesIn(testing::kReferenceNames),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace jikji
