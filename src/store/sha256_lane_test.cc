// Two SHA-256 side by side are what each is alone, however their bytes come.
#include "store/sha256_lane.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "store/testing/byte_pattern.h"

namespace jikji {
namespace {

class Sha256LaneTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !Sha256Lane::HasInstructions()) GTEST_SKIP() << "no SHA instructions here";
  }
};

TEST_P(Sha256LaneTest, OfKnownTexts) {
  Sha256Lane abc(GetParam()), empty(GetParam());
  Sha256Lane::UpdateBoth(abc, "abc", empty, "");
  EXPECT_EQ(HexOf(abc.Finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf(empty.Finish()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_P(Sha256LaneTest, OfEveryLengthAroundABlock) {
  for (size_t size = 0; size <= 200; ++size) {
    const std::string first = BytePattern(size, 1), second = BytePattern(200 - size, 2);
    Sha256Lane one(GetParam()), other(GetParam());
    Sha256Lane::UpdateBoth(one, first, other, second);
    EXPECT_EQ(one.Finish(), Sha256Of(first)) << size;
    EXPECT_EQ(other.Finish(), Sha256Of(second)) << size;
  }
}

TEST_P(Sha256LaneTest, OfBytesThatComeInAnyPieces) {
  const std::string first = BytePattern(5000, 3), second = BytePattern(4321, 4);
  for (uint32_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    Sha256Lane first_lane(GetParam()), second_lane(GetParam());
    std::string_view one = first, other = second;
    while (!one.empty() || !other.empty()) {
      const size_t a = std::min<size_t>(one.size(), random.Below(300));
      const size_t b = std::min<size_t>(other.size(), random.Below(300));
      if (b % 7 == 0) {
        first_lane.Update(one.substr(0, a));
        second_lane.Update(other.substr(0, b));
      } else {
        Sha256Lane::UpdateBoth(first_lane, one.substr(0, a), second_lane, other.substr(0, b));
      }
      one.remove_prefix(a);
      other.remove_prefix(b);
    }
    EXPECT_EQ(first_lane.Finish(), Sha256Of(first));
    EXPECT_EQ(second_lane.Finish(), Sha256Of(second));
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, Sha256LaneTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Instructions" : "Streams"; });

}  // namespace
}  // namespace jikji
