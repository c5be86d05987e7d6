#include "tensor/quant/f8.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "tensor/quant/half.h"

namespace jikji {
namespace {

// By the definition: sign, four bits of exponent with a bias of 7, three of fraction.
double Value(int code) {
  const int exponent = code >> 3 & 15, fraction = code & 7;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
  return code < 128 ? magnitude : -magnitude;
}

TEST(F8, EveryCodeIsItsNumberAndComesBack) {
  for (int code = 0; code < 256; ++code) {
    if ((code & 127) == 127) continue;  // not a number
    const float value = F8ToF32(static_cast<uint8_t>(code));
    EXPECT_EQ(value, Value(code)) << code;
    EXPECT_EQ(F32ToF8(value), code);
  }
}

TEST(F8, RoundsToTheNearestAndTiesToEven) {
  for (int code = 0; code < 126; ++code) {
    const double low = Value(code), high = Value(code + 1), middle = (low + high) / 2;
    const auto near = [&](double x, int wanted) {
      EXPECT_EQ(F32ToF8(static_cast<float>(x)), wanted) << x;
      EXPECT_EQ(F32ToF8(static_cast<float>(-x)), wanted + 128) << -x;
    };
    near(middle, code % 2 == 0 ? code : code + 1);
    near(std::nextafter(static_cast<float>(middle), 0.0f), code);
    near(std::nextafter(static_cast<float>(middle), 1e9f), code + 1);
  }
}

TEST(F8, AScaleBringsTheLargestIntoTheUpperHalf) {
  for (int exponent = -15; exponent <= 15; ++exponent) {
    for (const float fraction : {1.0f, 1.3f, 1.75f, 1.7500002f, 1.99f}) {
      const float most = std::ldexp(fraction, exponent), scale = F8Scale(most);
      if (most > 57344.0f) {
        EXPECT_TRUE(std::isnan(scale));
        continue;
      }
      EXPECT_EQ(F16ToF32(F32ToF16(scale)), scale);
      EXPECT_LE(most / scale, 448.0f);
      EXPECT_GT(most / scale, 224.0f);
    }
  }
  EXPECT_EQ(F8Scale(0.0f), 0x1p-24f);
  EXPECT_EQ(F8Scale(1e-30f), 0x1p-24f);
  EXPECT_TRUE(std::isnan(F8Scale(std::nanf(""))));
  EXPECT_TRUE(std::isnan(F8Scale(INFINITY)));
}

}  // namespace
}  // namespace jikji
