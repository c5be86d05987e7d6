// Two SHA-256 side by side are what each is alone, however their bytes come.
#include "store/sha256_pair.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace jikji {
namespace {

std::string Bytes(size_t count, uint32_t seed) {
  std::string out(count, '\0');
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<char>((i + seed) * 2654435761u >> 13);
  return out;
}

class Sha256PairTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !Sha256Pair::HasInstructions()) GTEST_SKIP() << "no SHA instructions here";
  }
};

TEST_P(Sha256PairTest, OfKnownTexts) {
  Sha256Pair pair(GetParam());
  pair.Update("abc", "");
  const auto digests = pair.Finish();
  EXPECT_EQ(HexOf(digests[0]), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf(digests[1]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_P(Sha256PairTest, OfEveryLengthAroundABlock) {
  for (size_t size = 0; size <= 200; ++size) {
    const std::string first = Bytes(size, 1), second = Bytes(200 - size, 2);
    Sha256Pair pair(GetParam());
    pair.Update(first, second);
    const auto digests = pair.Finish();
    EXPECT_EQ(digests[0], Sha256Of(first)) << size;
    EXPECT_EQ(digests[1], Sha256Of(second)) << size;
  }
}

TEST_P(Sha256PairTest, OfBytesThatComeInAnyPieces) {
  const std::string first = Bytes(5000, 3), second = Bytes(4321, 4);
  for (uint32_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    Sha256Pair pair(GetParam());
    std::string_view one = first, other = second;
    while (!one.empty() || !other.empty()) {
      const size_t a = std::min<size_t>(one.size(), random.Below(300));
      const size_t b = std::min<size_t>(other.size(), random.Below(300));
      pair.Update(one.substr(0, a), other.substr(0, b));
      one.remove_prefix(a);
      other.remove_prefix(b);
    }
    const auto digests = pair.Finish();
    EXPECT_EQ(digests[0], Sha256Of(first));
    EXPECT_EQ(digests[1], Sha256Of(second));
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, Sha256PairTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Instructions" : "Streams"; });

}  // namespace
}  // namespace jikji
