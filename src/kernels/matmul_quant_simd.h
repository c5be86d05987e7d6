// MatMul with quantised weights, for instruction sets with vectors of int8.
//
// Contract (promise 1): each y[t, r] has one accumulator of S::kLanes lanes that takes, in order of
// columns, vector after vector: the integer sums of four products, which are exact, times the
// weights' scale times the activations'. Minima of K-quants come off after each block. Missing
// groups of the last vector count as zero. The tile's shape changes none of it.
#ifndef JIKJI_KERNELS_MATMUL_QUANT_SIMD_H_
#define JIKJI_KERNELS_MATMUL_QUANT_SIMD_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/matmul_variant.h"

namespace jikji::kernels {

// The 12 bytes of K-quants' scales as 8 scales and 8 minima, byte by byte (tensor/quant/k_scales.h
// gives the layout).
struct KScaleBytes {
  uint64_t scales;
  uint64_t minima;
};
template <class S>
inline KScaleBytes LoadKScales(const std::byte* from) {
  uint32_t packed[3];
  std::memcpy(packed, from, sizeof packed);
  constexpr uint32_t kSix = 0x3F3F3F3F, kFour = 0x0F0F0F0F, kTwo = 0x03030303;
  const uint64_t scales = (packed[2] & kFour) | (((packed[0] >> 6) & kTwo) << 4);
  const uint64_t minima = ((packed[2] >> 4) & kFour) | (((packed[1] >> 6) & kTwo) << 4);
  return {(packed[0] & kSix) | (scales << 32), (packed[1] & kSix) | (minima << 32)};
}

template <class S>
inline float LoadHalf(const std::byte* from) {
  uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return S::ToF32(bits);
}

// Kind: how a weight type's bytes become vectors.
//   kStep: values that one Kind takes; kStepBytes: their bytes
//   kSigned: whether q may be negative; kMinimum: whether there are minima
//   Kind(from, groups): reads `groups` groups of 32 values, fewer than kStep only at a row's end
//   Quants(v), Scale(v): the v-th vector and the scale of each lane; Minima(): of the 8 groups

// One row and kTokens tokens.
template <class S, class Kind, int kTokens>
inline void QuantTile(const std::byte* row, const Activations& x, int64_t token, float* y,
                      int64_t stride) {
  using F = typename S::F;
  constexpr int kVectors = Kind::kStep / S::kBytes;
  constexpr int64_t kGroups = S::kBytes / kGroup;
  F sum[kTokens];
  for (int t = 0; t < kTokens; ++t) sum[t] = S::Zero();
  const int8_t* quants = x.quants + token * x.groups * kGroup;
  const float* scales = x.scales + token * x.groups;
  const float* sums = x.sums + token * x.groups;
  const int64_t groups = x.cols / kGroup;
  for (int64_t g = 0; g < groups; g += Kind::kStep / kGroup, row += Kind::kStepBytes) {
    const Kind block(row, groups - g);
    for (int v = 0; v < kVectors; ++v) {
      const auto q = block.Quants(v);
      const F scale = block.Scale(v);
      [[maybe_unused]] auto prepared = q;
      if constexpr (Kind::kSigned) prepared = S::PrepareSigned(q);
      for (int t = 0; t < kTokens; ++t) {
        const int64_t group = t * x.groups + g + v * kGroups;
        const auto values = S::LoadBytes(quants + group * kGroup);
        const F factor = S::Mul(scale, S::GroupScales(scales + group));
        if constexpr (Kind::kSigned) {
          sum[t] = S::Fma(S::ToFloat(S::DotSigned(q, prepared, values)), factor, sum[t]);
        } else {
          sum[t] = S::Fma(S::ToFloat(S::DotUnsigned(q, values)), factor, sum[t]);
        }
      }
    }
    if constexpr (Kind::kMinimum) {
      const F minima = block.Minima();
      for (int t = 0; t < kTokens; ++t) {
        sum[t] = S::Fnma(minima, S::Load8(sums + t * x.groups + g), sum[t]);
      }
    }
  }
  for (int t = 0; t < kTokens; ++t) y[(token + t) * stride] = S::Reduce(sum[t]);
}

template <class S, class Kind, int kTokens>
inline void QuantTokens(const WeightRows& rows, const Activations& x, int64_t token, float* y,
                        int64_t stride) {
  for (int64_t r = 0; r < rows.count; ++r) {
    QuantTile<S, Kind, kTokens>(rows.data + r * rows.row_bytes, x, token, y + r, stride);
  }
}

template <class S, class Kind>
void QuantRows(const WeightRows& rows, const Activations& x, float* y, int64_t stride) {
  int64_t t = 0;
  if constexpr (S::kLanes == 16) {  // registers for eight tokens
    for (; t + 8 <= x.tokens; t += 8) QuantTokens<S, Kind, 8>(rows, x, t, y, stride);
  }
  for (; t + 4 <= x.tokens; t += 4) QuantTokens<S, Kind, 4>(rows, x, t, y, stride);
  switch (x.tokens - t) {
    case 1:
      return QuantTokens<S, Kind, 1>(rows, x, t, y, stride);
    case 2:
      return QuantTokens<S, Kind, 2>(rows, x, t, y, stride);
    case 3:
      return QuantTokens<S, Kind, 3>(rows, x, t, y, stride);
    default:
      return;
  }
}

template <class S>
void QuantiseSimd(const float* x, int64_t groups, uint8_t flip, int8_t* quants, float* scales,
                  float* sums) {
  for (int64_t g = 0; g < groups; ++g) {
    S::Quantise32(x + g * kGroup, flip, quants + g * kGroup, scales + g, sums + g);
  }
}

template <class S, class Kind>
constexpr MatMulKernel QuantKernel() {
  return {QuantRows<S, Kind>, Kind::kSigned ? S::kSignedFlip : uint8_t{0}};
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_QUANT_SIMD_H_
