#include "measure/harness/requirement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jikji::measure {
namespace {

std::vector<Score> Scores(double kobest, double bits) {
  std::vector<Score> scores(2);
  scores[0].name = "kobest";
  scores[0].estimate.value = kobest;
  scores[1].name = "bits_per_byte";
  scores[1].estimate.value = bits;
  return scores;
}

bool Passes(const char* text, const std::vector<Score>& ours,
            const std::vector<Score>& theirs = {}) {
  const auto requirements = ParseRequirements(text);
  EXPECT_TRUE(requirements) << text;
  for (const Verdict& verdict : Judge(*requirements, ours, theirs)) {
    if (!verdict.met) return false;
  }
  return true;
}

TEST(RequirementTest, BoundsIncludeThemselves) {
  const auto ours = Scores(0.5, 1.8);
  EXPECT_TRUE(Passes("kobest>=0.5", ours));
  EXPECT_TRUE(Passes(" kobest >= 0.45 , bits_per_byte <= 1.9 ", ours));
  EXPECT_FALSE(Passes("kobest>=0.51,bits_per_byte<=1.9", ours));
  EXPECT_FALSE(Passes("kobest>=0.4,bits_per_byte<=1.7", ours));
  EXPECT_TRUE(Passes("kobest<=0.5,bits_per_byte>=-1e3", ours));
}

TEST(RequirementTest, WhatWasNotMeasuredIsNotMet) {
  EXPECT_FALSE(Passes("klue_nli>=0", Scores(0.5, 1.8)));
  EXPECT_FALSE(Passes("kobest>=against", Scores(0.5, 1.8)));
}

TEST(RequirementTest, AgainstIsTheOtherModelsScore) {
  const auto ours = Scores(0.5, 1.8);
  EXPECT_TRUE(Passes("kobest>=against,bits_per_byte<=against", ours, Scores(0.5, 1.8)));
  EXPECT_FALSE(Passes("kobest>=against", ours, Scores(0.6, 1.8)));
  EXPECT_FALSE(Passes("bits_per_byte<=against", ours, Scores(0.5, 1.7)));
}

TEST(RequirementTest, WhatCannotBeReadIsAnErrorThatQuotesIt) {
  for (const char* text : {"", "kobest", "kobest=0.5", "kobest>0.5", "kobest>=", ">=0.5",
                           "kobest>=0.5x", "kobest>=nan", "kobest>=inf", "kobest>=0.5,",
                           "kobest>=0.5,,klue_nli>=0", "kobest>=1e999", "kobest=>0.5"}) {
    const auto requirements = ParseRequirements(text);
    ASSERT_FALSE(requirements) << text;
    EXPECT_EQ(requirements.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(ParseRequirements("a>=1,kobest!0.5").error().message,
              ::testing::HasSubstr("`kobest!0.5`"));
}

TEST(RequirementTest, IsWrittenAsItIsRead) {
  for (const char* text : {"kobest>=0.45", "bits_per_byte<=1.9", "kobest_copa.f1>=against"}) {
    EXPECT_EQ(ToString(ParseRequirements(text)->front()), text);
  }
}

}  // namespace
}  // namespace jikji::measure
