#include "kernels/pointwise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "kernels/each_isa.h"

namespace jikji::kernels {
namespace {

constexpr double kUnit = 0x1p-24;  // relative error of one rounding

std::vector<float> Random(size_t count, uint32_t seed, float spread = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> out(count);
  for (float& value : out) value = normal(random);
  return out;
}

bool SameBits(const float* a, const float* b, size_t count) {
  return std::memcmp(a, b, count * sizeof(float)) == 0;
}

TEST(RmsNorm, AgreesWithTheDefinitionAndRowsStandAlone) {
  for (size_t cols : {1, 7, 16, 33, 64, 1000}) {
    const size_t rows = 41;
    const std::vector<float> x = Random(rows * cols, 1, 3.0f);
    const std::vector<float> weight = Random(cols, 2);
    ForEachIsa([&] {
      ThreadPool pool(3);
      std::vector<float> y(x.size());
      RmsNorm(x.data(), rows, weight, 1e-6f, y.data(), pool);
      for (size_t r = 0; r < rows; ++r) {
        double squares = 0.0;
        for (size_t c = 0; c < cols; ++c) squares += std::pow(double{x[r * cols + c]}, 2);
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(cols) + double{1e-6f});
        // The sum's chain has cols / 8 + 1 steps of two roundings and four adds, halved by the
        // root; then mean, eps, root, reciprocal and two products.
        const double tolerance = (static_cast<double>(cols) / 8 + 1 + 2 + 6) * kUnit;
        for (size_t c = 0; c < cols; ++c) {
          const double wanted = x[r * cols + c] * scale * weight[c];
          ASSERT_NEAR(y[r * cols + c], wanted, tolerance * std::abs(wanted));
        }
        std::vector<float> alone(x.begin() + r * cols, x.begin() + (r + 1) * cols);
        RmsNorm(alone.data(), 1, weight, 1e-6f, alone.data(), pool);
        ASSERT_TRUE(SameBits(alone.data(), &y[r * cols], cols));
      }
    });
  }
}

TEST(RmsNorm, ZerosStayZero) {
  ThreadPool pool(1);
  ForEachIsa([&] {
    std::vector<float> x(50, 0.0f);
    RmsNorm(x.data(), 1, std::vector<float>(50, 2.0f), 1e-6f, x.data(), pool);
    for (float value : x) EXPECT_EQ(value, 0.0f);
  });
}

TEST(Rope, RotatesPairsAndLeavesTheRest) {
  const int32_t heads = 3, head_dim = 40;
  const std::vector<float> inv_freq = {1.0f, 0.5f, 0.1f, 0.01f, 1e-3f, 2e-4f, 1e-5f};
  const std::vector<int32_t> positions = {0, 5, 131071, 5, 17};
  const std::vector<float> x = Random(positions.size() * heads * head_dim, 3);
  ForEachIsa([&] {
    ThreadPool pool(2);
    std::vector<float> y = x;
    Rope(y.data(), positions, heads, head_dim, inv_freq, 1.25f, pool);
    for (size_t r = 0; r < positions.size(); ++r) {
      for (size_t h = 0; h < 3; ++h) {
        const size_t at = (r * 3 + h) * 40;
        for (size_t i = 0; i < 7; ++i) {
          const float angle = static_cast<float>(positions[r]) * inv_freq[i];
          const double c = std::cos(double{angle}) * 1.25, s = std::sin(double{angle}) * 1.25;
          const double a = x[at + i], b = x[at + i + 7];
          // Two roundings in cos · magnitude (its own error below one), two in product and sum.
          const double tolerance = 5 * kUnit * 1.25 * (std::abs(a) + std::abs(b));
          ASSERT_NEAR(y[at + i], a * c - b * s, tolerance);
          ASSERT_NEAR(y[at + i + 7], b * c + a * s, tolerance);
        }
        ASSERT_TRUE(SameBits(&y[at + 14], &x[at + 14], 26));
      }
    }
    for (size_t r = 0; r < positions.size(); ++r) {
      std::vector<float> alone(x.begin() + r * 120, x.begin() + (r + 1) * 120);
      Rope(alone.data(), std::span(positions).subspan(r, 1), heads, head_dim, inv_freq, 1.25f,
           pool);
      ASSERT_TRUE(SameBits(alone.data(), &y[r * 120], 120));
    }
  });
}

// The table of angles is kept between calls; a call with other arguments must not see it.
TEST(Rope, NoticesEveryChangeOfItsArguments) {
  ThreadPool pool(1);
  const std::vector<float> x = Random(8, 4);
  const auto rotated = [&](std::vector<int32_t> positions, std::vector<float> inv_freq,
                           float magnitude) {
    std::vector<float> y = x;
    Rope(y.data(), positions, 1, 8, inv_freq, magnitude, pool);
    return y;
  };
  const auto base = rotated({3}, {1.0f, 0.5f}, 1.0f);
  EXPECT_NE(rotated({4}, {1.0f, 0.5f}, 1.0f), base);
  EXPECT_NE(rotated({3}, {1.0f, 0.25f}, 1.0f), base);
  EXPECT_NE(rotated({3}, {1.0f, 0.5f}, 2.0f), base);
  EXPECT_EQ(rotated({3}, {1.0f, 0.5f}, 1.0f), base);
}

TEST(SiluMultiply, AgreesWithTheDefinition) {
  std::vector<float> gate = Random(5003, 5, 10.0f);
  const float infinity = std::numeric_limits<float>::infinity();
  const float odd[] = {0.0f, -0.0f, 1e-40f, 86.9f, -86.9f, 88.1f, -88.1f, 1e30f, -1e30f, infinity};
  std::copy(std::begin(odd), std::end(odd), gate.begin() + 100);
  const std::vector<float> up = Random(gate.size(), 6);
  ForEachIsa([&] {
    ThreadPool pool(2);
    std::vector<float> out(gate.size());
    SiluMultiply(gate.data(), up.data(), static_cast<int64_t>(gate.size()), out.data(), pool);
    for (size_t i = 0; i < gate.size(); ++i) {
      const double wanted = gate[i] / (1.0 + std::exp(-double{gate[i]})) * up[i];
      // e^x to 8 roundings (exp_simd.h), the sum, the quotient, the product. Where e^-gate
      // overflows its range the result is zero instead of something below |gate| · e^-88.
      const double tolerance = 12 * kUnit * std::abs(wanted) + std::abs(up[i]) * 1e-36;
      if (std::isinf(gate[i])) {
        EXPECT_EQ(out[i], gate[i] * up[i]);
      } else {
        EXPECT_NEAR(out[i], wanted, tolerance) << gate[i];
      }
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    float result = 0.0f;
    SiluMultiply(&nan, up.data(), 1, &result, pool);
    EXPECT_TRUE(std::isnan(result));
  });
}

// A value's place among others, in a vector or a tail, must not change its bits.
TEST(Pointwise, BitsDoNotDependOnPlace) {
  const std::vector<float> gate = Random(67, 7, 8.0f), up = Random(67, 8);
  ForEachIsa([&] {
    ThreadPool pool(1);
    std::vector<float> alone(67);
    for (size_t i = 0; i < 67; ++i) SiluMultiply(&gate[i], &up[i], 1, &alone[i], pool);
    for (size_t first = 0; first < 67; ++first) {
      for (size_t count : {1, 3, 8, 9, 16, 31, 67}) {
        if (first + count > 67) continue;
        std::vector<float> out(count);
        SiluMultiply(&gate[first], &up[first], static_cast<int64_t>(count), out.data(), pool);
        ASSERT_TRUE(SameBits(out.data(), &alone[first], count));
      }
    }
  });
}

TEST(Add, AddsValuesAndBiases) {
  const std::vector<float> x = Random(3 * 37, 9), y = Random(3 * 37, 10);
  ForEachIsa([&] {
    ThreadPool pool(2);
    std::vector<float> sum = x;
    Add(sum.data(), y.data(), 3 * 37, pool);
    for (size_t i = 0; i < sum.size(); ++i) EXPECT_EQ(sum[i], x[i] + y[i]);
    sum = x;
    AddBias(sum.data(), 3, std::span(y).first(37), pool);
    for (size_t i = 0; i < sum.size(); ++i) EXPECT_EQ(sum[i], x[i] + y[i % 37]);
  });
}

TEST(Pointwise, TakesNothing) {
  ThreadPool pool(2);
  ForEachIsa([&] {
    Add(nullptr, nullptr, 0, pool);
    SiluMultiply(nullptr, nullptr, 0, nullptr, pool);
    RmsNorm(nullptr, 0, std::vector<float>(4, 1.0f), 1e-6f, nullptr, pool);
    Rope(nullptr, {}, 2, 4, std::vector<float>{1.0f}, 1.0f, pool);
  });
}

}  // namespace
}  // namespace jikji::kernels
