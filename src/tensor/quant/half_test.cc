#include "tensor/quant/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace jikji {
namespace {

float FromBits(uint32_t bits) { return std::bit_cast<float>(bits); }

TEST(HalfTest, KnownValues) {
  EXPECT_EQ(F16ToF32(0x3C00), 1.0f);
  EXPECT_EQ(F16ToF32(0xC000), -2.0f);
  EXPECT_EQ(F16ToF32(0x7BFF), 65504.0f);
  EXPECT_EQ(F16ToF32(0x0001), 0x1p-24f);
  EXPECT_EQ(F16ToF32(0x83FF), -1023 * 0x1p-24f);
  EXPECT_TRUE(std::signbit(F16ToF32(0x8000)));
  EXPECT_EQ(F16ToF32(0x7C00), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(F16ToF32(0x7E00)));
  EXPECT_EQ(BF16ToF32(0x3F80), 1.0f);
  EXPECT_EQ(F32ToF16(65519.99f), 0x7BFF);
  EXPECT_EQ(F32ToF16(65520.0f), 0x7C00);
  EXPECT_EQ(F32ToF16(0x1p-25f), 0x0000);  // half way to the least subnormal: to even
  EXPECT_EQ(F32ToF16(0x1.8p-25f), 0x0001);
  EXPECT_EQ(F32ToBF16(FromBits(0x3F808000)), 0x3F80);  // a tie, to even
  EXPECT_EQ(F32ToBF16(FromBits(0x3F818000)), 0x3F82);
  EXPECT_EQ(F32ToBF16(std::numeric_limits<float>::max()), 0x7F80);
}

TEST(HalfTest, EveryHalfComesBack) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if (std::isnan(F16ToF32(half))) {
      EXPECT_TRUE(std::isnan(F16ToF32(F32ToF16(F16ToF32(half)))));
    } else {
      EXPECT_EQ(F32ToF16(F16ToF32(half)), half);
    }
    if (std::isnan(BF16ToF32(half))) {
      EXPECT_TRUE(std::isnan(BF16ToF32(F32ToBF16(BF16ToF32(half)))));
    } else {
      EXPECT_EQ(F32ToBF16(BF16ToF32(half)), half);
    }
  }
}

// Between two neighbouring halves: everything below their middle goes down, above goes up, and the
// middle goes to the one whose last bit is zero.
TEST(HalfTest, RoundsToTheNearestAndTiesToEven) {
  for (uint16_t half = 0; half < 0x7BFF; ++half) {
    const float low = F16ToF32(half);
    const float high = F16ToF32(static_cast<uint16_t>(half + 1));
    const float middle = (low + high) / 2;  // exact in f32
    const uint16_t even = half % 2 == 0 ? half : static_cast<uint16_t>(half + 1);
    ASSERT_EQ(F32ToF16(middle), even) << half;
    ASSERT_EQ(F32ToF16(std::nextafter(middle, low)), half);
    ASSERT_EQ(F32ToF16(std::nextafter(middle, high)), half + 1);
    ASSERT_EQ(F32ToF16(-middle), even | 0x8000);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    const float value = FromBits(random());
    if (!std::isfinite(value)) continue;
    const uint16_t near = F32ToBF16(value);
    const double error = std::abs(static_cast<double>(BF16ToF32(near)) - value);
    if (std::isinf(BF16ToF32(near))) continue;
    for (const int step : {-1, 1}) {
      const float other = BF16ToF32(static_cast<uint16_t>(near + step));
      if (!std::isfinite(other)) continue;
      ASSERT_LE(error, std::abs(static_cast<double>(other) - value));
    }
  }
}

TEST(HalfTest, NotANumberStaysOne) {
  for (const uint32_t bits : {0x7F800001u, 0x7FC00000u, 0xFFFFFFFFu, 0xFF800001u}) {
    EXPECT_TRUE(std::isnan(F16ToF32(F32ToF16(FromBits(bits)))));
    EXPECT_TRUE(std::isnan(BF16ToF32(F32ToBF16(FromBits(bits)))));
  }
}

}  // namespace
}  // namespace jikji
