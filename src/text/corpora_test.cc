// Legal, review and technical Korean give the reference's ids, by hash
// (tests/goldens/tokenizer/big_check.py): 2 MB of each here, 10 MB by tokenizer_bench --check.
#include <gtest/gtest.h>

#include "base/json.h"
#include "text/testing.h"

namespace jikji {
namespace {

class CorporaTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CorporaTest, EqualTheReference) {
  const std::string name = GetParam();
  if (!std::filesystem::exists(testing::SourceDir() / "../shared/data/ko-text")) {
    GTEST_SKIP() << "no ../shared/data/ko-text";
  }
  const auto tokenizer = testing::LoadReference(name);
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  for (const char* corpus : testing::kCorpora) {
    const auto expected = testing::ExpectedCorpus(name, corpus, testing::kSmallCorpus);
    ASSERT_TRUE(expected) << expected.error().ToString();
    const std::string text = testing::KoreanText(corpus, testing::kSmallCorpus);
    if (text.empty()) GTEST_SKIP() << "no zstd to read ../shared/data/ko-text with";
    EXPECT_EQ(testing::HashCorpus(**tokenizer, text), *expected) << corpus;
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, CorporaTest, ::testing::ValuesIn(testing::kReferenceNames),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace jikji
