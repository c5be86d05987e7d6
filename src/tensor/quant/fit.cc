#include "tensor/quant/fit.h"

#include <algorithm>
#include <cmath>

namespace jikji {
namespace {

// Spacings tried: levels spread over the group's range lengthened or shortened by tenths of a
// level.
constexpr float kTryStep = 0.1f;
constexpr int kTries = 9;  // of FitSymmetric, to either side

// Four values at once, in the same order everywhere: a model's matrices have billions.
typedef float Four __attribute__((vector_size(16)));

Four Spread(float value) { return Four{value, value, value, value}; }
Four Max(Four a, Four b) { return a < b ? b : a; }
Four Min(Four a, Four b) { return b < a ? b : a; }

// To the nearest integer, ties to even: beyond 2^23 a float has no fraction to keep.
Four Round(Four v) {
  const Four shift = Spread(0x1.8p23f);
  return (v + shift) - shift;
}
Four Level(Four v, float lowest, float highest) {
  return Round(Min(Max(v, Spread(lowest)), Spread(highest)));
}

// The power of two at or below a magnitude; 1 for 0. Values are divided by it so that no square
// overflows or vanishes, and what is rounded to a level is rounded as it would be without.
float PowerBelow(float magnitude) {
  return magnitude == 0 ? 1 : std::ldexp(1.0f, std::ilogb(magnitude));
}

Four Magnitude(Four v) { return Max(v, -v); }

}  // namespace

std::array<AffineFit, kAffineGroups> FitAffine(std::span<const float> values,
                                               const AffineTries& tries) {
  // A lane is a group: sums are in the order of its values, so that their roundings are ggml's too
  // and of two spacings as good as equal the same one wins.
  Four x[kAffineGroup];
  Four magnitude{};
  for (size_t i = 0; i < kAffineGroup; ++i) {
    for (size_t g = 0; g < kAffineGroups; ++g) x[i][g] = values[kAffineGroup * g + i];
    magnitude = Max(magnitude, Magnitude(x[i]));
  }
  for (size_t g = 0; g < kAffineGroups; ++g) magnitude[g] = PowerBelow(magnitude[g]);
  Four low{}, high = x[0] / magnitude, squares{};
  for (Four& value : x) {
    value /= magnitude;
    low = Min(low, value);
    high = Max(high, value);
    squares += value * value;
  }

  // Weight of x: |x| and the group's root mean square.
  Four rms;
  for (size_t g = 0; g < kAffineGroups; ++g) {
    rms[g] = std::sqrt(squares[g] / static_cast<float>(kAffineGroup));
  }
  Four w[kAffineGroup];
  Four sum_w{}, sum_wx{};
  for (size_t i = 0; i < kAffineGroup; ++i) {
    w[i] = rms + Magnitude(x[i]);
    sum_w += w[i];
    sum_wx += w[i] * x[i];
  }

  const auto top = static_cast<float>(tries.top);
  Four q[kAffineGroup];
  const auto error_of = [&](Four scale, Four least) {
    Four error{};
    for (size_t i = 0; i < kAffineGroup; ++i) {
      const Four off = scale * q[i] + least - x[i];
      error += w[i] * (off * off);
    }
    return error;
  };
  // Where all values are the same, nothing below is a number and the range is what counts.
  const auto flat = high <= low;
  Four per_value = top / (high - low);
  for (size_t i = 0; i < kAffineGroup; ++i) q[i] = Level((x[i] - low) * per_value, 0, top);
  Four best_per_value = per_value, best_from = low;
  Four best_scale = 1.0f / per_value;
  Four best_error = error_of(best_scale, low);
  const float first = kTryStep * static_cast<float>(tries.first);
  for (int attempt = 0; attempt <= tries.last - tries.first; ++attempt) {
    per_value = (first + kTryStep * static_cast<float>(attempt) + top) / (high - low);
    Four sum_q{}, sum_qq{}, sum_qx{};
    for (size_t i = 0; i < kAffineGroup; ++i) {
      q[i] = Level((x[i] - low) * per_value, 0, top);
      const Four wq = w[i] * q[i];
      sum_q += wq;
      sum_qq += wq * q[i];
      sum_qx += wq * x[i];
    }
    const Four determinant = sum_w * sum_qq - sum_q * sum_q;
    Four scale = (sum_w * sum_qx - sum_wx * sum_q) / determinant;
    Four least = (sum_qq * sum_wx - sum_q * sum_qx) / determinant;
    const auto above = least > 0;
    scale = above ? sum_qx / sum_qq : scale;
    least = above ? Four{} : least;
    const Four error = error_of(scale, least);
    const auto better = (determinant > 0) & (error < best_error);
    best_error = better ? error : best_error;
    best_scale = better ? scale : best_scale;
    best_per_value = better ? per_value : best_per_value;
    best_from = better ? low : best_from;
    low = better ? least : low;  // later spacings begin at the better minimum
  }
  best_scale = flat ? Four{} : best_scale * magnitude;
  best_per_value = flat ? Four{} : best_per_value / magnitude;
  best_from *= magnitude;
  low = low * magnitude;
  std::array<AffineFit, kAffineGroups> out;
  for (size_t g = 0; g < kAffineGroups; ++g) {
    out[g] = {best_scale[g], 0 - low[g], best_from[g], best_per_value[g]};
  }
  return out;
}

std::array<SymmetricFit, kSymmetricGroups> FitSymmetric(std::span<const float> values, int half) {
  Four x[kSymmetricGroup];
  Four extreme{};
  for (size_t i = 0; i < kSymmetricGroup; ++i) {
    for (size_t g = 0; g < kSymmetricGroups; ++g) x[i][g] = values[kSymmetricGroup * g + i];
    extreme = Magnitude(x[i]) > Magnitude(extreme) ? x[i] : extreme;
  }
  Four magnitude;
  for (size_t g = 0; g < kSymmetricGroups; ++g) magnitude[g] = PowerBelow(std::abs(extreme[g]));
  for (Four& value : x) value /= magnitude;
  extreme /= magnitude;

  const auto levels = static_cast<float>(half);
  Four best_scale{}, best_gain{}, best_per_value{};
  const auto attempt = [&](float wider) {
    // The value farthest from zero goes to the level −half, which has no opposite.
    const Four per_value = -(levels + wider) / extreme;
    Four qq{}, qx{};
    for (const Four& value : x) {
      const Four q = Level(per_value * value, -levels, levels - 1);
      const Four weight = value * value;
      qx += weight * value * q;
      qq += weight * q * q;
    }
    // The best scale for these levels is qx / qq; it takes qx² / qq off the error.
    const auto better = (qq > 0) & (qx * qx > best_gain * qq);
    const Four scale = qx / qq;
    best_scale = better ? scale : best_scale;
    best_gain = better ? scale * qx : best_gain;
    best_per_value = better ? per_value : best_per_value;
  };
  attempt(0);
  for (int tenths = -kTries; tenths <= kTries; ++tenths) {
    if (tenths != 0) attempt(kTryStep * static_cast<float>(tenths));
  }
  std::array<SymmetricFit, kSymmetricGroups> out;
  for (size_t g = 0; g < kSymmetricGroups; ++g) {
    out[g] = {best_scale[g] * magnitude[g], best_per_value[g] / magnitude[g]};
  }
  return out;
}

}  // namespace jikji
