#include "tensor/quant/fit.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace jikji {
namespace {

// Spacings tried: levels spread over the group's range lengthened or shortened by up to one level.
constexpr int kTries = 10;
constexpr float kTryStep = 0.1f;

constexpr size_t kMaxGroup = 32;

// Four values at once, in the same order everywhere: a model's matrices have billions.
typedef float Four __attribute__((vector_size(16)));

Four Spread(float value) { return Four{value, value, value, value}; }
Four Max(Four a, Four b) { return a < b ? b : a; }
Four Min(Four a, Four b) { return b < a ? b : a; }
// In double: the error is a small difference of large sums.
double Total(Four v) { return (double{v[0]} + v[2]) + (double{v[1]} + v[3]); }

// To the nearest integer, ties to even: beyond 2^23 a float has no fraction to keep.
Four Round(Four v) {
  const Four shift = Spread(0x1.8p23f);
  return (v + shift) - shift;
}
Four Level(Four v, float lowest, float highest) {
  return Round(Min(Max(v, Spread(lowest)), Spread(highest)));
}

// A group's values, brought to a largest magnitude of 1 so that no square overflows or vanishes.
struct Group {
  Four x[kMaxGroup / 4] = {};
  size_t fours = 0;
  float magnitude = 0;

  explicit Group(std::span<const float> values) : fours(values.size() / 4) {
    for (const float value : values) magnitude = std::max(magnitude, std::abs(value));
    if (magnitude == 0) return;
    for (size_t i = 0; i < fours; ++i) {
      std::memcpy(&x[i], values.data() + 4 * i, sizeof(Four));
      x[i] /= magnitude;
    }
  }
};

Four Magnitude(Four v) { return Max(v, -v); }

}  // namespace

AffineFit FitAffine(std::span<const float> values, int top) {
  const Group group(values);
  if (group.magnitude == 0) return {0, 0};
  const auto count = static_cast<double>(values.size());
  float low = 0, high = -1;
  Four squares{};
  for (size_t i = 0; i < group.fours; ++i) {
    for (int lane = 0; lane < 4; ++lane) {
      low = std::min(low, group.x[i][lane]);
      high = std::max(high, group.x[i][lane]);
    }
    squares += group.x[i] * group.x[i];
  }
  if (high <= low) return {0, -low * group.magnitude};

  // Weight of x: |x| and the group's root mean square.
  const Four rms = Spread(static_cast<float>(std::sqrt(Total(squares) / count)));
  Four w[kMaxGroup / 4], wx[kMaxGroup / 4];
  Four sum_w{}, sum_wx{}, sum_wxx{};
  for (size_t i = 0; i < group.fours; ++i) {
    w[i] = rms + Magnitude(group.x[i]);
    wx[i] = w[i] * group.x[i];
    sum_w += w[i];
    sum_wx += wx[i];
    sum_wxx += wx[i] * group.x[i];
  }
  const double n = Total(sum_w), sx = Total(sum_wx), sxx = Total(sum_wxx);

  const auto levels = static_cast<float>(top);
  double best_scale = (high - low) / levels, best_minimum = -low, best_error = -1;
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    const float per_value = (levels + kTryStep * static_cast<float>(attempt)) / (high - low);
    Four q_sum{}, qq_sum{}, qx_sum{};
    for (size_t i = 0; i < group.fours; ++i) {
      const Four q = Level((group.x[i] - low) * per_value, 0, levels);
      const Four wq = w[i] * q;
      q_sum += wq;
      qq_sum += wq * q;
      qx_sum += wx[i] * q;
    }
    const double q = Total(q_sum), qq = Total(qq_sum), qx = Total(qx_sum);
    const double determinant = n * qq - q * q;
    if (determinant <= 0) continue;
    double scale = (n * qx - q * sx) / determinant;
    double minimum = (scale * q - sx) / n;
    if (minimum < 0) {
      minimum = 0;
      scale = qx / qq;
    }
    // Σ w (scale · q − minimum − x)²
    const double error = scale * scale * qq + n * minimum * minimum + sxx -
                         2 * scale * minimum * q - 2 * scale * qx + 2 * minimum * sx;
    if (scale > 0 && (best_error < 0 || error < best_error)) {
      best_scale = scale;
      best_minimum = minimum;
      best_error = std::max(error, 0.0);
    }
  }
  return {static_cast<float>(best_scale * group.magnitude),
          static_cast<float>(best_minimum * group.magnitude)};
}

float FitSymmetric(std::span<const float> values, int half) {
  const Group group(values);
  if (group.magnitude == 0) return 0;
  const float extreme = *std::max_element(values.begin(), values.end(), [](float a, float b) {
    return std::abs(a) < std::abs(b);
  }) / group.magnitude;
  const auto levels = static_cast<float>(half);
  Four w[kMaxGroup / 4];
  for (size_t i = 0; i < group.fours; ++i) w[i] = group.x[i] * group.x[i];
  double best_scale = -extreme / levels, best_gain = 0;
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    // The value farthest from zero goes to the level −half, which has no opposite.
    const float per_value = -(levels + kTryStep * static_cast<float>(attempt)) / extreme;
    Four qq_sum{}, qx_sum{};
    for (size_t i = 0; i < group.fours; ++i) {
      const Four q = Level(group.x[i] * per_value, -levels, levels - 1);
      const Four wq = w[i] * q;
      qq_sum += wq * q;
      qx_sum += wq * group.x[i];
    }
    const double qq = Total(qq_sum), qx = Total(qx_sum);
    if (qq == 0) continue;
    // The best scale for these levels is qx / qq; it takes qx² / qq off the error.
    const double gain = qx * qx / qq;
    if (gain > best_gain) {
      best_gain = gain;
      best_scale = qx / qq;
    }
  }
  return static_cast<float>(best_scale * group.magnitude);
}

}  // namespace jikji
