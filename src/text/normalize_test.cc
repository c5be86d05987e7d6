#include "text/normalize.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/utf8.h"

namespace jikji {
namespace {

TEST(NormalizeTest, JamoBecomeSyllables) {
  EXPECT_EQ(NormalizeNfc("\u1112\u1161\u11ab\u1100\u1173\u11af"), "한글");
  EXPECT_EQ(NormalizeNfc("가\u11a8"), "각");                // a syllable takes a final
  EXPECT_EQ(NormalizeNfc("\u3131\u314f"), "\u3131\u314f");  // compatibility jamo do not compose
  EXPECT_EQ(NormalizeNfc("\u1113\u119e"), "\u1113\u119e");  // old Hangul has no syllables
  EXPECT_EQ(NormalizeNfc("e\u0301 \u212b"), "\u00e9 \u00c5");
}

TEST(NormalizeTest, EverySyllableRoundTrips) {
  std::string all;
  for (char32_t code = 0xAC00; code <= 0xD7A3; ++code) AppendUtf8(code, all);
  const std::string apart = Normalize(all, NormalForm::kNfd);
  EXPECT_GT(apart.size(), 2 * all.size());
  EXPECT_FALSE(IsSurelyNfc(apart));
  EXPECT_EQ(NormalizeNfc(apart), all);
  EXPECT_TRUE(IsSurelyNfc(all));
}

TEST(NormalizeTest, OtherForms) {
  EXPECT_EQ(Normalize("ﬁ ㎏ Ａ", NormalForm::kNfkc), "fi kg A");
  EXPECT_EQ(Normalize("각", NormalForm::kNfkd), "\u1100\u1161\u11a8");
}

TEST(NormalizeTest, IllFormedBytesAreReplaced) {
  EXPECT_EQ(NormalizeNfc("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(NormalizeNfc(""), "");
}

// What the quick check passes is what normalisation leaves alone.
TEST(NormalizeTest, QuickCheckIsRight) {
  std::mt19937 random(7);
  int sure = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    const size_t length = random() % 8;
    for (size_t k = 0; k < length; ++k) {
      char32_t code = random() % 3 == 0 ? 0x1100 + random() % 0x100 : random() % 0x20000;
      if (code >= 0xD800 && code < 0xE000) code = 'x';
      AppendUtf8(code, text);
    }
    if (!IsSurelyNfc(text)) continue;
    ++sure;
    ASSERT_EQ(Normalize(text, NormalForm::kNfc), text);
  }
  EXPECT_GT(sure, 1000);
}

TEST(NormalizeTest, LongTextsAreNormalisedInSlices) {
  std::string apart, composed;
  for (int i = 0; i < 30'000; ++i) {
    apart += i % 100 == 0 ? " " : "\u1112\u1161\u11ab";
    composed += i % 100 == 0 ? " " : "한";
  }
  EXPECT_EQ(NormalizeNfc(apart), composed);
}

}  // namespace
}  // namespace jikji
