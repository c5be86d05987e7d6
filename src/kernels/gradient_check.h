// For tests: what a gradient should be, by central differences of a definition in doubles.
#ifndef JIKJI_KERNELS_GRADIENT_CHECK_H_
#define JIKJI_KERNELS_GRADIENT_CHECK_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <span>
#include <vector>

namespace jikji::kernels {

inline std::vector<float> RandomValues(size_t count, uint32_t seed, float spread = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> out(count);
  for (float& value : out) value = normal(random);
  return out;
}

inline std::vector<double> ToDouble(std::span<const float> values) {
  return {values.begin(), values.end()};
}

// d f / d x[i] for each i.
inline std::vector<double> CentralDifferences(
    const std::function<double(const std::vector<double>&)>& f, std::span<const float> at) {
  std::vector<double> x = ToDouble(at), out(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double step = 1e-5 * std::max(1.0, std::abs(x[i])), middle = x[i];
    x[i] = middle + step;
    const double above = f(x);
    x[i] = middle - step;
    const double below = f(x);
    x[i] = middle;
    out[i] = (above - below) / (2 * step);
  }
  return out;
}

// max |a − b| ≤ 1e-4 · max |b|: what the trainer promises of every gradient.
inline void ExpectGradient(std::span<const float> got, std::span<const double> wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  double largest = 0.0, error = 0.0;
  for (size_t i = 0; i < got.size(); ++i) {
    largest = std::max(largest, std::abs(wanted[i]));
    error = std::max(error, std::abs(got[i] - wanted[i]));
    ASSERT_TRUE(std::isfinite(got[i]));
  }
  EXPECT_GT(largest, 0.0);
  EXPECT_LE(error, 1e-4 * largest);
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_GRADIENT_CHECK_H_
