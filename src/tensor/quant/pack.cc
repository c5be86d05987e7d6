#include <algorithm>
#include <cmath>
#include <span>

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"

namespace jikji {
namespace {

constexpr float kLargestF16 = 65504.0f;

// A block's scale as the file keeps it: an infinite one would make every value a NaN.
uint16_t ScaleBits(float scale) { return F32ToF16(std::clamp(scale, -kLargestF16, kLargestF16)); }

float Extreme(std::span<const float> x) {
  return *std::max_element(x.begin(), x.end(),
                           [](float a, float b) { return std::abs(a) < std::abs(b); });
}

// The nearest level, ties to even; a group without spacing has the lowest.
int Level(float exact, int lowest, int highest) {
  if (std::isnan(exact)) return lowest;
  return static_cast<int>(
      std::nearbyint(std::clamp(exact, static_cast<float>(lowest), static_cast<float>(highest))));
}

// 0 where the scale has none: its values are too small for the file's f16 anyway.
float Inverse(float scale) {
  const float inverse = 1 / scale;
  return std::isfinite(inverse) ? inverse : 0;
}

// What Q4_K and Q5_K share: scales and minima of the groups, and the levels, 0 to `top`.
struct KLevels {
  uint16_t d;
  uint16_t dmin;
  uint8_t scales[12];
  uint8_t q[256];
};

// Of the largest itself, as ggml has it, not of what f16 makes of it.
uint8_t ShareOf63(float value, float largest) {
  if (largest <= 0) return 0;
  return static_cast<uint8_t>(std::clamp(std::nearbyint(63 / largest * value), 0.0f, 63.0f));
}

KLevels FitK(const float* x, const AffineTries& tries) {
  AffineFit fits[8];
  std::ranges::copy(FitAffine({x, 128}, tries), fits);
  std::ranges::copy(FitAffine({x + 128, 128}, tries), fits + 4);
  float largest_scale = 0;
  float largest_minimum = 0;
  for (const AffineFit& fit : fits) {
    largest_scale = std::max(largest_scale, fit.scale);
    largest_minimum = std::max(largest_minimum, fit.minimum);
  }
  KLevels out;
  out.d = ScaleBits(largest_scale / 63);
  out.dmin = ScaleBits(largest_minimum / 63);
  const float d = F16ToF32(out.d);
  const float dmin = F16ToF32(out.dmin);
  KScales k;
  for (int group = 0; group < 8; ++group) {
    k.scale[group] = ShareOf63(fits[group].scale, largest_scale);
    k.minimum[group] = ShareOf63(fits[group].minimum, largest_minimum);
    const float scale = d * static_cast<float>(k.scale[group]);
    const float minimum = dmin * static_cast<float>(k.minimum[group]);
    // A group too small for the block's scale keeps the levels fitted, as ggml has it.
    const auto exact = [&](float value) {
      return scale == 0 ? (value - fits[group].from) * fits[group].per_value
                        : (value + minimum) / scale;
    };
    for (int i = 32 * group; i < 32 * group + 32; ++i) {
      out.q[i] = static_cast<uint8_t>(Level(exact(x[i]), 0, tries.top));
    }
  }
  PackKScales(k, out.scales);
  return out;
}

// The low four bits of 256 levels as Q4_K and Q5_K lay them out.
void PackLowHalves(const uint8_t (&q)[256], uint8_t (&qs)[128]) {
  for (int pair = 0; pair < 4; ++pair) {
    for (int i = 0; i < 32; ++i) {
      qs[32 * pair + i] =
          static_cast<uint8_t>((q[64 * pair + i] & 15) | ((q[64 * pair + 32 + i] & 15) << 4));
    }
  }
}

}  // namespace

Q4_0Block Q4_0Block::Pack(const float* x) {
  // The value farthest from zero goes to the level −8, which has no opposite.
  Q4_0Block out;
  const float scale = Extreme({x, kValues}) / -8;
  out.d = ScaleBits(scale);
  const float per_value = Inverse(scale);
  const auto level = [&](float value) {
    return static_cast<int>(std::clamp(value * per_value + 8.5f, 0.0f, 15.0f));
  };
  for (int i = 0; i < 16; ++i) {
    out.qs[i] = static_cast<uint8_t>(level(x[i]) | (level(x[i + 16]) << 4));
  }
  return out;
}

Q8_0Block Q8_0Block::Pack(const float* x) {
  Q8_0Block out;
  const float scale = std::abs(Extreme({x, kValues})) / 127;
  out.d = ScaleBits(scale);
  const float per_value = Inverse(scale);
  for (int i = 0; i < 32; ++i) {
    out.qs[i] = static_cast<int8_t>(std::clamp(std::round(x[i] * per_value), -127.0f, 127.0f));
  }
  return out;
}

Q4_KBlock Q4_KBlock::Pack(const float* x) {
  const KLevels levels = FitK(x, {.top = 15, .first = -10, .last = 10});
  Q4_KBlock out;
  out.d = levels.d;
  out.dmin = levels.dmin;
  std::copy(std::begin(levels.scales), std::end(levels.scales), out.scales);
  PackLowHalves(levels.q, out.qs);
  return out;
}

Q5_KBlock Q5_KBlock::Pack(const float* x) {
  const KLevels levels = FitK(x, {.top = 31, .first = -5, .last = 10});
  Q5_KBlock out;
  out.d = levels.d;
  out.dmin = levels.dmin;
  std::copy(std::begin(levels.scales), std::end(levels.scales), out.scales);
  PackLowHalves(levels.q, out.qs);
  for (int i = 0; i < 32; ++i) {
    int bits = 0;
    for (int group = 0; group < 8; ++group) bits |= (levels.q[32 * group + i] >> 4) << group;
    out.qh[i] = static_cast<uint8_t>(bits);
  }
  return out;
}

Q6_KBlock Q6_KBlock::Pack(const float* x) {
  SymmetricFit fits[16];
  for (int four = 0; four < 4; ++four) {
    std::ranges::copy(FitSymmetric({x + 64 * four, 64}, 32), fits + 4 * four);
  }
  Q6_KBlock out;
  float largest = 0;
  for (const SymmetricFit& fit : fits) {
    if (std::abs(fit.scale) > std::abs(largest)) largest = fit.scale;
  }
  out.d = ScaleBits(largest == 0 ? 0 : 1 / (-128 / largest));
  const float d = F16ToF32(out.d);
  uint8_t q[256];
  for (int group = 0; group < 16; ++group) {
    // Of the largest itself, as ggml has it, not of what f16 makes of it.
    out.scales[group] = static_cast<int8_t>(
        largest == 0
            ? 0
            : std::clamp(std::nearbyint(-128 / largest * fits[group].scale), -128.0f, 127.0f));
    const float scale = d * static_cast<float>(out.scales[group]);
    // A group too small for the block's scale keeps the levels fitted; of zeros it has the lowest.
    const float per_value = fits[group].per_value;
    const auto exact = [&](float value) {
      if (scale != 0) return value / scale;
      return per_value == 0 || largest == 0 ? -32.0f : value * per_value;
    };
    for (int i = 16 * group; i < 16 * group + 16; ++i) {
      q[i] = static_cast<uint8_t>(Level(exact(x[i]), -32, 31) + 32);
    }
  }
  for (int half = 0; half < 2; ++half) {
    const uint8_t* from = q + 128 * half;
    for (int i = 0; i < 32; ++i) {
      out.ql[64 * half + i] = static_cast<uint8_t>((from[i] & 15) | ((from[64 + i] & 15) << 4));
      out.ql[64 * half + 32 + i] =
          static_cast<uint8_t>((from[32 + i] & 15) | ((from[96 + i] & 15) << 4));
      out.qh[32 * half + i] =
          static_cast<uint8_t>((from[i] >> 4) | ((from[32 + i] >> 4) << 2) |
                               ((from[64 + i] >> 4) << 4) | ((from[96 + i] >> 4) << 6));
    }
  }
  return out;
}

}  // namespace jikji
