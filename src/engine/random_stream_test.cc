#include "engine/random_stream.h"

#include <gtest/gtest.h>

#include <set>

namespace jikji {
namespace {

using Block = std::array<uint32_t, 4>;

// The known answers that the authors publish with Random123 (kat_vectors).
TEST(RandomStreamTest, KnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStreamTest, EveryKeyMatters) {
  std::set<uint64_t> seen;
  for (uint64_t seed : {0ull, 1ull, 1ull << 32, ~0ull}) {
    for (int32_t choice : {0, 1, 127}) {
      for (int64_t position : {int64_t{0}, int64_t{1}, int64_t{1} << 32}) {
        seen.insert(RandomAt(seed, choice, position));
      }
    }
  }
  EXPECT_EQ(seen.size(), 36u);
}

TEST(RandomStreamTest, Uniform) {
  constexpr int kDraws = 100000, kBins = 50;
  std::array<int, kBins> bins{};
  for (int i = 0; i < kDraws; ++i) {
    ++bins[(RandomAt(42, 3, i) >> 32) * kBins >> 32];
  }
  double chi2 = 0;
  for (int count : bins) {
    const double expected = static_cast<double>(kDraws) / kBins;
    chi2 += (count - expected) * (count - expected) / expected;
  }
  EXPECT_LT(chi2, 85.35);  // 49 degrees of freedom, p = 0.001
}

}  // namespace
}  // namespace jikji
