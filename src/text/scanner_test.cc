// The hand-written scanners give exactly the matches of their patterns, as PCRE2 finds them.
#include "text/scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "text/regex.h"
#include "text/unicode_table.h"

namespace jikji {
namespace {

struct Collect : PieceSink {
  void Take(std::string_view piece, bool) override { pieces.emplace_back(piece); }
  std::vector<std::string> pieces;
};

std::vector<std::string> Scanned(std::string_view pattern, std::string_view text) {
  Collect collect;
  Scan(*FindScanner(pattern), text, true, collect);
  return collect.pieces;
}

std::vector<std::string> Matched(const Regex& regex, std::string_view text) {
  std::vector<std::string> pieces;
  regex.ForEachMatch(text, [&](size_t begin, size_t end) {
    pieces.emplace_back(text.substr(begin, end - begin));
  });
  return pieces;
}

// Characters on which the patterns' branches turn, and any others, of versions of Unicode that
// utf8proc and PCRE2 both know.
std::string RandomText(std::mt19937& random) {
  static constexpr char32_t kTurning[] = {
      ' ',    ' ',    '\n',   '\r',   '\t',   '\'',   's',    'S',    't',    'r',    'e',
      'l',    'L',    'v',    'V',    'm',    'd',    'D',    'A',    'Z',    'a',    '0',
      '9',    '/',    '.',    '-',    '_',    0xE9,   0xC9,   0x17F,  0x1C5,  0x2B0,  0x301,
      0x1100, 0x1161, 0x11A8, 0xAC00, 0xD7A3, 0x3131, 0x6F22, 0x2163, 0xBD,   0x663,  0x1F600,
      0x200D, 0xFE0F, 0x3000, 0xA0,   0x85,   0x2028, 0x180E, 0x200B, 0xFEFF, 0x2581, 0x0};
  std::string text;
  const int length = std::uniform_int_distribution<int>(0, 40)(random);
  const bool narrow = random() % 2 == 0;  // few different characters: long runs
  const size_t first = random() % std::size(kTurning);
  for (int i = 0; i < length; ++i) {
    if (!narrow && random() % 8 == 0) {
      AppendUtf8(random() % 0x530, text);  // Latin, Greek, Cyrillic, marks: no news for years
    } else if (narrow) {
      AppendUtf8(kTurning[(first + random() % 4) % std::size(kTurning)], text);
    } else {
      AppendUtf8(kTurning[random() % std::size(kTurning)], text);
    }
  }
  return text;
}

class ScannerTest : public ::testing::TestWithParam<std::string_view> {};

TEST_P(ScannerTest, EqualsPcre2OnRandomTexts) {
  const auto regex = Regex::Compile(GetParam());
  ASSERT_TRUE(regex) << regex.error().ToString();
  std::mt19937 random(20261123);
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = RandomText(random);
    const auto scanned = Scanned(GetParam(), text);
    ASSERT_EQ(scanned, Matched(*regex, text)) << "text " << i << ": " << text;
    std::string whole;
    for (const std::string& piece : scanned) whole += piece;
    ASSERT_EQ(whole, text);
  }
}

INSTANTIATE_TEST_SUITE_P(Patterns, ScannerTest,
                         ::testing::Values(kGpt2Pattern, kCl100kPattern, kQwen2Pattern,
                                           kO200kPattern));

TEST(FindScannerTest, KnowsExactSpellingsOnly) {
  EXPECT_TRUE(FindScanner(kQwen2Pattern));
  EXPECT_FALSE(FindScanner(std::string(kQwen2Pattern) + " "));
  EXPECT_FALSE(FindScanner(""));
}

TEST(FindScannerTest, KoreanWordsKeepTheirSpace) {
  EXPECT_EQ(
      Scanned(kCl100kPattern, "제1조 (목적)  이 법은\n\n"),
      (std::vector<std::string>{"제", "1", "조", " (", "목적", ")", " ", " 이", " 법은", "\n\n"}));
}

TEST(RegexTest, OnigurumaAndPcre2Differ) {
  // U+180E is no white space since Unicode 6.3.
  const auto space = Regex::Compile(R"(\s+)");
  ASSERT_TRUE(space);
  EXPECT_EQ(Matched(*space, "a \xE1\xA0\x8E\xE3\x80\x80"),
            (std::vector<std::string>{" ", "\xE3\x80\x80"}));
  const auto not_space = Regex::Compile(R"([^\S]|x\S)");
  ASSERT_TRUE(not_space);
  EXPECT_EQ(Matched(*not_space, "x\xE1\xA0\x8E "),
            (std::vector<std::string>{"x\xE1\xA0\x8E", " "}));
  for (const char* unsupported : {"[a&&[b]]", "[a[b]]", R"(\h)", "^a", "(", R"([\W])"}) {
    const auto regex = Regex::Compile(unsupported);
    ASSERT_FALSE(regex) << unsupported;
    EXPECT_EQ(regex.error().code, ErrorCode::kUnsupported);
  }
}

TEST(RegexTest, ASearchThatExplodesEnds) {
  const auto regex = Regex::Compile(R"((a+)+(a+)+(a+)+(a+)+b)");
  ASSERT_TRUE(regex);
  EXPECT_TRUE(Matched(*regex, std::string(5000, 'a')).empty());
}

}  // namespace
}  // namespace jikji
