#include "measure/korean/k_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "measure/korean/numbers.h"
#include "measure/korean/particles.h"
#include "measure/korean/romanise.h"

namespace jikji::measure {
namespace {

using Maker = ChoiceItem (*)(Random&);
constexpr Maker kMakers[] = {&ParticleItem, &NumberItem, &DateItem, &SpacingItem, &RomanItem};

std::string WithoutSpaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

TEST(KChecksTest, ItemsAreSoundInEverySeed) {
  for (const Maker make : kMakers) {
    std::vector<size_t> places(4);
    for (uint64_t seed = 0; seed < 20; ++seed) {
      for (const ChoiceItem& item : MakeItems(make, 100, seed)) {
        ASSERT_FALSE(item.context.empty());
        ASSERT_GE(item.choices.size(), 2u);
        ASSERT_LE(item.choices.size(), 4u);
        ASSERT_LT(item.gold, item.choices.size());
        const std::set<std::string> distinct(item.choices.begin(), item.choices.end());
        ASSERT_EQ(distinct.size(), item.choices.size()) << item.context;
        ++places[item.gold];
      }
    }
    // The right one is not in a place of its own: each of two at least a third of the time, or each
    // of four a sixth.
    const bool four = places[3] > 0;
    for (size_t place = 0; place < (four ? 4u : 2u); ++place) {
      EXPECT_GT(places[place], four ? 2000u / 6 : 2000u / 3) << place;
    }
  }
}

TEST(KChecksTest, TheSeedDecidesAndMoreItemsBeginAlike) {
  for (const Maker make : kMakers) {
    const auto few = MakeItems(make, 10, 3), more = MakeItems(make, 50, 3);
    EXPECT_TRUE(std::equal(few.begin(), few.end(), more.begin()));
    EXPECT_NE(few, MakeItems(make, 10, 4));
    std::set<std::string> contexts;
    for (const ChoiceItem& item : more) contexts.insert(item.context + item.choices[item.gold]);
    EXPECT_GT(contexts.size(), 25u) << "items differ";
  }
}

TEST(KChecksTest, TheRightParticleAgrees) {
  for (const ChoiceItem& item : MakeItems(&ParticleItem, 2000, 1)) {
    ASSERT_EQ(item.choices.size(), 2u);
    int agree = 0;
    for (size_t i = 0; i < 2; ++i) {
      const std::string word = item.choices[i].substr(0, item.choices[i].find(' '));
      const std::string noun = word.substr(0, word.size() - 3),
                        particle = word.substr(word.size() - 3);
      const bool fits = std::ranges::any_of(kParticlePairs, [&](const ParticlePair& pair) {
        return particle == (*EndsInConsonant(noun) ? pair.after_consonant : pair.after_vowel);
      });
      EXPECT_EQ(fits, i == item.gold) << item.choices[i];
      agree += fits ? 1 : 0;
    }
    EXPECT_EQ(agree, 1);
  }
}

TEST(KChecksTest, TheRightNumberIsTheOneAsked) {
  for (const ChoiceItem& item : MakeItems(&NumberItem, 2000, 2)) {
    const std::string asked = item.context.substr(0, item.context.find("을 "));
    const auto number = ParseKoreanNumber(asked);
    ASSERT_TRUE(number) << asked;
    for (size_t i = 0; i < item.choices.size(); ++i) {
      EXPECT_EQ(ParseKoreanNumber(item.choices[i]) == number, i == item.gold) << item.context;
    }
  }
}

TEST(KChecksTest, ADateIsThatOfItsDigitsOrTheDayAfter) {
  int after = 0;
  for (const ChoiceItem& item : MakeItems(&DateItem, 2000, 3)) {
    int year = 0, month = 0, day = 0;
    const std::string& right = item.choices[item.gold];
    ASSERT_EQ(std::sscanf(right.c_str(), "%d년 %d월 %d일", &year, &month, &day), 3) << right;
    if (item.context.contains('-')) {
      int y = 0, m = 0, d = 0;
      ASSERT_EQ(std::sscanf(item.context.c_str(), "%d-%d-%d", &y, &m, &d), 3);
      EXPECT_EQ(std::tie(y, m, d), std::tie(year, month, day));
      continue;
    }
    ++after;
    // The day before the right one is the one asked about: told by the calendar's own rules.
    static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const auto leap = [](int y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; };
    if (--day == 0) {
      if (--month == 0) {
        month = 12;
        --year;
      }
      day = kDays[month - 1] + (month == 2 && leap(year) ? 1 : 0);
    }
    const std::string asked = std::to_string(year) + "년 " + std::to_string(month) + "월 " +
                              std::to_string(day) + "일의 다음 날은";
    EXPECT_EQ(item.context, asked);
  }
  EXPECT_GT(after, 500);
}

TEST(KChecksTest, SpacingDiffersInOneSpaceAlone) {
  int apart = 0;
  for (const ChoiceItem& item : MakeItems(&SpacingItem, 2000, 4)) {
    ASSERT_EQ(item.choices.size(), 2u);
    EXPECT_EQ(WithoutSpaces(item.choices[0]), WithoutSpaces(item.choices[1]));
    const auto right = item.choices[item.gold].size(), wrong = item.choices[1 - item.gold].size();
    EXPECT_EQ(std::max(right, wrong) - std::min(right, wrong), 1u);
    apart += right > wrong ? 1 : 0;
  }
  EXPECT_GT(apart, 1000) << "dependent nouns and units";
  EXPECT_LT(apart, 1800) << "particles";
}

TEST(KChecksTest, TheRightRomanisationIsTheRules) {
  for (const ChoiceItem& item : MakeItems(&RomanItem, 500, 5)) {
    const std::string word = item.context.substr(0, item.context.find("의 로마자"));
    EXPECT_EQ(item.choices[item.gold], Romanise(word));
  }
}

TEST(KChecksTest, DigitsFollowThreeExamples) {
  Random random(6);
  for (int i = 0; i < 500; ++i) {
    const ExactItem item = NumberToDigits(random);
    ASSERT_TRUE(item.context.ends_with("\n숫자:"));
    const size_t at = item.context.rfind("수: ") + std::string("수: ").size();
    const std::string words = item.context.substr(at, item.context.find('\n', at) - at);
    EXPECT_EQ(ParseKoreanNumber(words), std::stoull(item.answer));
    EXPECT_EQ(std::ranges::count(item.context, '\n'), 10);
  }
}

}  // namespace
}  // namespace jikji::measure
