#include "measure/korean/numbers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace jikji::measure {
namespace {

std::string Without(std::string text, char c) {
  std::erase(text, c);
  return text;
}

void ExpectRoundTrip(uint64_t number) {
  const std::string units = NumberWithUnits(number), words = NumberInWords(number);
  ASSERT_EQ(ParseKoreanNumber(units), number) << units;
  ASSERT_EQ(ParseKoreanNumber(words), number) << words;
  ASSERT_EQ(ParseKoreanNumber(Without(units, ' ')), number) << units;
  ASSERT_EQ(ParseKoreanNumber(Without(words, ' ')), number) << words;
  ASSERT_EQ(ParseKoreanNumber(std::to_string(number)), number);
}

TEST(NumbersTest, AreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(NumberWithUnits(0), "0");
  EXPECT_EQ(NumberInWords(0), "영");
  EXPECT_EQ(NumberWithUnits(325'000'000), "3억 2500만");
  EXPECT_EQ(NumberInWords(325'000'000), "삼억 이천오백만");
  EXPECT_EQ(NumberInWords(10'000), "만");
  EXPECT_EQ(NumberInWords(110'000), "십일만");
  EXPECT_EQ(NumberInWords(1'111), "천백십일");
  EXPECT_EQ(NumberInWords(100'010'000), "일억 일만");
  EXPECT_EQ(NumberWithUnits(kMostKoreanNumber), "9999조 9999억 9999만 9999");
}

TEST(NumbersTest, EveryNumberUpToAHundredThousandComesBack) {
  for (uint64_t number = 0; number <= 100'000; ++number) ExpectRoundTrip(number);
}

TEST(NumbersTest, LargeNumbersComeBack) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 20'000; ++round) {
    uint64_t number = random() % (kMostKoreanNumber + 1);
    number >>= random() % 53;
    // Groups of zeros, which leave units out.
    if (round % 3 == 0) number -= number / 10'000 % 10'000 * 10'000;
    ExpectRoundTrip(number);
  }
  ExpectRoundTrip(kMostKoreanNumber);
}

TEST(NumbersTest, MixedFormsAreRead) {
  EXPECT_EQ(ParseKoreanNumber("3억 2천5백만"), 325'000'000u);
  EXPECT_EQ(ParseKoreanNumber("1,234,567"), 1'234'567u);
  EXPECT_EQ(ParseKoreanNumber("5천"), 5'000u);
  EXPECT_EQ(ParseKoreanNumber("일만"), 10'000u);
  EXPECT_EQ(ParseKoreanNumber("1,200만"), 12'000'000u);
}

TEST(NumbersTest, WhatIsNoNumberIsRefused) {
  for (const char* text : {"",        " ",    "만만",  "억",     "조",   "3만 2억",
                           "일이",    "3이",  "이3",   "백천",   "오영", "영만",
                           "12345만", "1,23", ",123",  "1,2345", "1 2",  "3억 123456789",
                           "삼억 만", "봄",   "3만원", "-1",     "1.5",  "99999999999999999",
                           "십이백",  "0만",  "\xFF"}) {
    EXPECT_EQ(ParseKoreanNumber(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace jikji::measure
