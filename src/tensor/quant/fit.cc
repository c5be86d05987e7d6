#include "tensor/quant/fit.h"

#include <algorithm>
#include <cmath>

namespace jikji {
namespace {

// Spacings tried: levels spread over the group's range lengthened or shortened by up to 1.2 levels.
constexpr int kTries = 12;
constexpr double kTryStep = 0.1;

int RoundTo(double value, int lowest, int highest) {
  return static_cast<int>(
      std::lround(std::clamp(value, static_cast<double>(lowest), static_cast<double>(highest))));
}

// Sums over a group of values x and levels q that its least squares need.
struct Sums {
  double n = 0, x = 0, xx = 0, q = 0, qq = 0, qx = 0;

  void Add(double value, double level) {
    n += 1;
    x += value;
    xx += value * value;
    q += level;
    qq += level * level;
    qx += level * value;
  }
  // Σ (scale · q − minimum − x)²
  double Error(double scale, double minimum) const {
    return scale * scale * qq + n * minimum * minimum + xx - 2 * scale * minimum * q -
           2 * scale * qx + 2 * minimum * x;
  }
};

}  // namespace

AffineFit FitAffine(std::span<const float> x, int top) {
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  const double low = std::min(0.0f, *least);
  const double high = *most;
  if (high <= low) return {0, static_cast<float>(-low)};

  double best_scale = (high - low) / top;
  double best_minimum = -low;
  double best_error = -1;
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    const double per_level = (high - low) / (top + kTryStep * attempt);
    Sums sums;
    for (const float value : x) sums.Add(value, RoundTo((value - low) / per_level, 0, top));
    const double determinant = sums.n * sums.qq - sums.q * sums.q;
    if (determinant <= 0) continue;
    double scale = (sums.n * sums.qx - sums.q * sums.x) / determinant;
    double minimum = (scale * sums.q - sums.x) / sums.n;
    if (minimum < 0) {
      minimum = 0;
      scale = sums.qx / sums.qq;
    }
    const double error = sums.Error(scale, minimum);
    if (scale > 0 && (best_error < 0 || error < best_error)) {
      best_scale = scale;
      best_minimum = minimum;
      best_error = error;
    }
  }
  return {static_cast<float>(best_scale), static_cast<float>(best_minimum)};
}

float FitSymmetric(std::span<const float> x, int half) {
  const float extreme = *std::max_element(
      x.begin(), x.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  if (extreme == 0) return 0;
  double best_scale = -static_cast<double>(extreme) / half;
  double best_error = -1;
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    // The value farthest from zero goes to the level −half, which has no opposite.
    const double per_level = -static_cast<double>(extreme) / (half + kTryStep * attempt);
    Sums sums;
    for (const float value : x) sums.Add(value, RoundTo(value / per_level, -half, half - 1));
    if (sums.qq == 0) continue;
    const double scale = sums.qx / sums.qq;
    const double error = sums.Error(scale, 0);
    if (best_error < 0 || error < best_error) {
      best_scale = scale;
      best_error = error;
    }
  }
  return static_cast<float>(best_scale);
}

}  // namespace jikji
