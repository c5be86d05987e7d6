// The verdict on every test text, however it is spelt and wherever it is cut; and that the fast
// scan finds what the slow reference does.
#include "govern/guard/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/test_rounds.h"
#include "govern/guard/atom.h"
#include "govern/guard/reference.h"
#include "govern/guard/test_texts.h"

namespace jikji::guard {
namespace {

std::vector<Finding> InOrder(std::vector<Finding> findings) {
  std::ranges::sort(findings, {}, [](const Finding& f) { return std::pair(f.begin, f.kind); });
  return findings;
}

std::vector<PiiKind> Kinds(std::vector<Finding> findings) {
  std::vector<PiiKind> kinds;
  // An address begins where the number that is its name does; numbers come first in TestTexts.
  for (const Finding& finding : InOrder(std::move(findings))) kinds.push_back(finding.kind);
  return kinds;
}

// Pushes the text in the pieces that end at `cuts`; checks what the detector promises of them.
std::vector<Finding> InPieces(std::string_view text, const std::vector<size_t>& cuts) {
  Detector detector;
  std::vector<Finding> findings;
  size_t at = 0;
  for (const size_t cut : cuts) {
    const uint64_t certain = detector.certain();
    const size_t known = findings.size();
    detector.Push(text.substr(at, cut - at), findings);
    at = cut;
    EXPECT_GE(detector.certain(), certain);
    EXPECT_LE(detector.certain(), at);
    for (size_t i = known; i < findings.size(); ++i) EXPECT_GE(findings[i].begin, certain);
    EXPECT_EQ(detector.Text(certain, at), text.substr(certain, at - certain));
  }
  const uint64_t certain = detector.certain();
  detector.Push(text.substr(at), findings);
  detector.Finish(findings);
  EXPECT_EQ(detector.certain(), text.size());
  EXPECT_EQ(detector.Text(certain, text.size()), text.substr(certain));
  return InOrder(std::move(findings));
}

TEST(Detector, FindsEveryKindInEverySpelling) {
  for (const TestText& test : TestTexts()) {
    for (const Spelling& spelling : Spellings()) {
      EXPECT_EQ(Kinds(FindPii(Spell(test.text, spelling))), test.kinds)
          << test.text << ", " << spelling.name;
    }
  }
}

TEST(Detector, TheVerdictIsThatOfTheWholeWhereverATextIsCut) {
  for (const TestText& test : TestTexts()) {
    for (const Spelling& spelling : Spellings()) {
      const std::string text = Spell(test.text, spelling);
      const auto whole = InOrder(FindPii(text));
      std::vector<size_t> every;
      for (size_t cut = 0; cut <= text.size(); ++cut) {
        every.push_back(cut);
        ASSERT_EQ(InPieces(text, {cut}), whole) << test.text << " cut at " << cut;
      }
      ASSERT_EQ(InPieces(text, every), whole) << test.text << ", byte by byte";
    }
  }
}

TEST(Detector, HoldsBackAtMost32Characters) {
  size_t most = 0;
  std::string all;
  for (const TestText& test : TestTexts()) all += test.text + " ";
  all += std::string(100, 'a') + std::string(100, '7') + "12-34-56-78-90-12-34-56-78-90-12-34";
  all += "x110123456789abc@ + 신x1234567890@ 12345678901234@a ";
  all += "ABC12345678901234567890@123.456.789.012 4111 1111 1111 1111 - 1 - 2 - 3 - 4 - 5";
  for (const Spelling& spelling : Spellings()) {
    const std::string text = Spell(all, spelling);
    Detector detector;
    std::vector<Finding> findings;
    for (size_t at = 0; at < text.size(); ++at) {
      detector.Push(std::string_view(text).substr(at, 1), findings);
      size_t held = 0;
      for (size_t i = detector.certain(); i <= at; ++held) {
        const Atom atom = AtomAt(std::string_view(text).substr(0, at + 1), i);
        i += atom.length;
        if (atom.atom_class == AtomClass::kIgnorable) --held;
        if (atom.atom_class == AtomClass::kIncomplete) --held;
      }
      most = std::max(most, held);
      ASSERT_LE(held, 32u) << spelling.name << ": "
                           << text.substr(detector.certain(), at - detector.certain() + 1);
    }
  }
  EXPECT_GT(most, 20u);  // the texts come near the limit
}

// Pieces of what is to be found and of what looks like it.
std::string RandomText(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"900101",
                                                   "1234567",
                                                   "130111",
                                                   "0006246",
                                                   "010",
                                                   "1234",
                                                   "5678",
                                                   "82",
                                                   "+82",
                                                   "0082",
                                                   "10",
                                                   "11",
                                                   "12",
                                                   "345678",
                                                   "90",
                                                   "124",
                                                   "81",
                                                   "00998",
                                                   "4111",
                                                   "1111",
                                                   "M",
                                                   "123",
                                                   "A",
                                                   "4567",
                                                   "12345678",
                                                   "-",
                                                   "-",
                                                   "-",
                                                   " ",
                                                   ".",
                                                   "@",
                                                   "\\u0039",
                                                   "\\u002D",
                                                   "\\n",
                                                   "\\",
                                                   "\\u",
                                                   "０",
                                                   "９",
                                                   "－",
                                                   "·",
                                                   "\u200B",
                                                   "계좌",
                                                   "신한은행",
                                                   "면허",
                                                   "사업자",
                                                   "법인",
                                                   "가",
                                                   "입니다",
                                                   "a",
                                                   "bc",
                                                   "example",
                                                   ".com",
                                                   "co.kr",
                                                   "_",
                                                   "\xEA\xB0",
                                                   "\xFF",
                                                   "𝟗",
                                                   "971013",
                                                   "9019902",
                                                   "2208162517",
                                                   "5555555555554444",
                                                   ")",
                                                   "(",
                                                   "\n",
                                                   "1",
                                                   "2",
                                                   "3456",
                                                   "2024",
                                                   "“",
                                                   "\xE2",
                                                   "\xEF\xBC",
                                                   "~"};
  std::string text;
  const size_t pieces = random() % 24;
  for (size_t i = 0; i < pieces; ++i) text += kPieces[random() % kPieces.size()];
  if (random() % 4 == 0) text.insert(0, random() % 100, random() % 2 == 0 ? 'x' : '5');
  return text;
}

TEST(Detector, AgreesWithTheSlowReference) {
  std::mt19937 random(1);
  size_t found = 0;
  for (int round = 0; round < TestRounds(20000); ++round) {
    const std::string text = RandomText(random);
    auto fast = InOrder(FindPii(text));
    for (Finding& finding : fast) finding.confidence = Confidence::kLikely;
    found += fast.size();
    ASSERT_EQ(fast, FindPiiSlowly(text)) << text;
  }
  EXPECT_GT(found, static_cast<size_t>(TestRounds(20000)) / 20);
}

TEST(Detector, RandomTextsInRandomPieces) {
  std::mt19937 random(2);
  for (int round = 0; round < TestRounds(5000); ++round) {
    std::string text;
    for (int i = 0; i <= round % 20; ++i) text += RandomText(random);
    if (round % 100 == 0) text.insert(text.size() / 2, 10000, 'x');  // what is past is dropped
    std::vector<size_t> cuts;
    const size_t steps = 2 + random() % 40;
    for (size_t at = 0; at < text.size(); at += random() % steps) {
      if (cuts.empty() || cuts.back() != at) cuts.push_back(at);
    }
    ASSERT_EQ(InPieces(text, cuts), InOrder(FindPii(text))) << text;
  }
}

}  // namespace
}  // namespace jikji::guard
