#include "govern/guard/checks.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace jikji::guard {
namespace {

TEST(Checks, KnownNumbers) {
  EXPECT_TRUE(ResidentChecksum("9710139019902"));
  EXPECT_FALSE(ResidentChecksum("9710139019903"));
  EXPECT_TRUE(BusinessChecksum("1248100998"));
  EXPECT_TRUE(BusinessChecksum("2208162517"));
  EXPECT_FALSE(BusinessChecksum("2208162518"));
  EXPECT_TRUE(CorporateChecksum("1301110006246"));
  EXPECT_FALSE(CorporateChecksum("1301110006247"));
  EXPECT_TRUE(LuhnChecksum("4111111111111111"));
  EXPECT_TRUE(LuhnChecksum("378282246310005"));
}

TEST(Checks, EachDigitCounts) {
  for (const std::string number : {"4111111111111111", "378282246310005"}) {
    for (size_t i = 0; i < number.size(); ++i) {
      std::string other = number;
      other[i] = other[i] == '9' ? '0' : static_cast<char>(other[i] + 1);
      EXPECT_FALSE(LuhnChecksum(other)) << other;
    }
  }
}

TEST(Checks, OneOfElevenResidentAndForeignerNumbersAgree) {
  // Both use the same sum; a number cannot be right as both.
  std::mt19937 random(1);
  int both = 0;
  int resident = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string digits;
    for (int k = 0; k < 13; ++k) digits += static_cast<char>('0' + random() % 10);
    both += ResidentChecksum(digits) && ForeignerChecksum(digits) ? 1 : 0;
    resident += ResidentChecksum(digits) ? 1 : 0;
  }
  EXPECT_EQ(both, 0);
  EXPECT_NEAR(resident, 1000, 150);
}

TEST(Checks, DatesAndRanges) {
  EXPECT_TRUE(HasBirthDate("0002291234567"));
  EXPECT_FALSE(HasBirthDate("0002301234567"));
  EXPECT_FALSE(HasBirthDate("0013011234567"));
  EXPECT_FALSE(HasBirthDate("0000011234567"));
  EXPECT_FALSE(HasBirthDate("0001001234567"));
  EXPECT_TRUE(IsCardRange("4111111111111"));
  EXPECT_FALSE(IsCardRange("41111111111111"));
  EXPECT_FALSE(IsCardRange("1111111111111111"));
  EXPECT_TRUE(IsMobile("01012345678"));
  EXPECT_FALSE(IsMobile("0101234567"));
  EXPECT_TRUE(IsMobile("0112345678"));
  EXPECT_FALSE(IsMobile("01212345678"));
  EXPECT_TRUE(IsLicenceRegion("28"));
  EXPECT_FALSE(IsLicenceRegion("27"));
}

}  // namespace
}  // namespace jikji::guard
