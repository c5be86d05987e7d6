#include "measure/korean/named.h"

#include <gtest/gtest.h>

namespace jikji::measure {
namespace {

using Names = std::vector<std::string>;

TEST(NamedIn, FindsNumbersAddressesInstitutionsAndProgrammes) {
  EXPECT_EQ(NamedIn("가족센터(1577-9337)나 읍면동 주민센터에서 신청합니다."),
            (Names{"가족센터", "1577-9337", "주민센터"}));
  EXPECT_EQ(NamedIn("총 25만 원 중 20만 원, 만 19세 이상. 2,500.5원이며 25만 원입니다."),
            (Names{"25", "20", "19", "2,500.5"}));
  EXPECT_EQ(NamedIn("‘한국주택금융공사’의 누리집(http://www.hf.go.kr)과 LPG"),
            (Names{"한국주택금융공사", "http://www.hf.go.kr"}));
}

TEST(NamedIn, AnEndingAloneNamesNothing) {
  EXPECT_TRUE(NamedIn("제도를 이용하시면 사업에 참여하실 수 있습니다.").empty());
  EXPECT_TRUE(NamedIn("").empty());
}

}  // namespace
}  // namespace jikji::measure
