#include "govern/ledger/money.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace jikji {
namespace {

TEST(MoneyTest, ReadsAndWritesExactly) {
  EXPECT_EQ(ParseMoney("1500").value(), 1500 * kNano);
  EXPECT_EQ(ParseMoney("0.000000001").value(), 1);
  EXPECT_EQ(ParseMoney("0.25").value(), kNano / 4);
  EXPECT_EQ(ParseMoney("9223372036.854775807").value(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(FormatMoney(kNano / 4), "0.25");
  EXPECT_EQ(FormatMoney(-3 * kNano / 2), "-1.5");
  EXPECT_EQ(FormatMoney(0), "0");
  EXPECT_EQ(FormatMoney(std::numeric_limits<int64_t>::min()), "-9223372036.854775808");
  for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", " 1", "0.0000000001",
                           "9223372036.854775808", "99999999999", "1.2.3"}) {
    EXPECT_FALSE(ParseMoney(text).has_value()) << text;
  }
}

TEST(MoneyTest, WhatIsWrittenReadsBack) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50'000; ++round) {
    const auto nano = static_cast<int64_t>(random() >> (1 + random() % 62));
    ASSERT_EQ(ParseMoney(FormatMoney(nano)).value(), nano);
  }
}

TEST(MoneyTest, CostIsExactOrAnError) {
  const Prices prices{.input = 500'000, .cached = 50'000, .output = 1'500'000};
  EXPECT_EQ(Cost(prices, {.input = 1000, .cached = 400, .output = 20}).value(),
            600 * 500'000 + 400 * 50'000 + 20 * 1'500'000);
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Cost({1, 0, 0}, {most, 0, 0}).value(), most);
  EXPECT_FALSE(Cost({2, 0, 0}, {most, 0, 0}).has_value());
  EXPECT_FALSE(Cost({1, 0, 1}, {most, 0, 1}).has_value());
}

TEST(MoneyTest, Currencies) {
  EXPECT_TRUE(CheckCurrency("KRW").has_value());
  EXPECT_TRUE(CheckCurrency("USD").has_value());
  EXPECT_FALSE(CheckCurrency("krw").has_value());
}

}  // namespace
}  // namespace jikji
