// Weighted sums of values, lanes being dimensions.
//
// Contract (promise 1): a sum takes its positions one after the other in order. What is read beyond
// the head's dimensions stays in lanes of its own, which no one reads.
#ifndef JIKJI_KERNELS_ATTENTION_VALUES_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_VALUES_SIMD_H_

#include <cstdint>

#include "kernels/attention_block_simd.h"

namespace jikji::kernels {

// `Cache::Value(from, scale)` gives lanes of f32; `scale` is where the position's scale of the
// lanes' group is, for types that have one.
template <class S, class Cache>
struct WeightedValues {
  using F = typename S::F;

  // Adds weight · value of positions [begin, end) of the block to the sums of kN queries.
  template <int kN>
  static void Sum(const KvBlock<S>& block, const float* const* weights, float* const* sums,
                  int32_t begin, int32_t end) {
    if (begin >= end) return;
    const int64_t dim = block.layout.head_dim;
    constexpr int kWide = Greater(1, S::kValueTile / kN);
    int64_t d = 0;
    for (; d + kWide * S::kLanes <= dim; d += kWide * S::kLanes) {
      Tile<kN, kWide>(block, weights, sums, begin, end, d);
    }
    if constexpr (kWide > 2) {
      for (; d + 2 * S::kLanes <= dim; d += 2 * S::kLanes) {
        Tile<kN, 2>(block, weights, sums, begin, end, d);
      }
    }
    for (; d < dim; d += S::kLanes) Tile<kN, 1>(block, weights, sums, begin, end, d);
  }

  template <int kN, int kD>
  static void Tile(const KvBlock<S>& block, const float* const* weights, float* const* sums,
                   int32_t begin, int32_t end, int64_t d) {
    F sum[kN][kD];
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kD; ++j) sum[n][j] = S::Load(sums[n] + d + j * S::kLanes);
    }
    const float* scales = block.value_scales + d / kKvGroup * kScoreStride;
    for (int32_t p = begin; p < end; ++p) {
      const std::byte* value = block.values[p] + d * Cache::kBytes;
      F lanes[kD];
      for (int j = 0; j < kD; ++j) {
        const int32_t group = j * S::kLanes / kKvGroup;
        lanes[j] =
            Cache::Value(value + j * S::kLanes * Cache::kBytes, scales + group * kScoreStride + p);
      }
      for (int n = 0; n < kN; ++n) {
        const F weight = S::Set1(weights[n][p]);
        for (int j = 0; j < kD; ++j) sum[n][j] = S::Fma(weight, lanes[j], sum[n][j]);
      }
    }
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kD; ++j) S::Store(sums[n] + d + j * S::kLanes, sum[n][j]);
    }
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_VALUES_SIMD_H_
