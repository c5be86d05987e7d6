// Weighted sums of values, lanes being dimensions.
//
// Contract (promise 1): a sum takes its positions one after the other in order. What is read beyond
// the head's dimensions stays in lanes of its own, which no one reads.
#ifndef JIKJI_KERNELS_ATTENTION_VALUES_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_VALUES_SIMD_H_

#include <cstdint>

#include "kernels/attention_block_simd.h"

namespace jikji::kernels {

// `Cache::Value` gives lanes of f32; kScaled, that the cache has scales, which then go into the
// weights; kGrouped, that they are of kKvGroup values each, not of a whole head.
template <class S, class Cache>
struct WeightedValues {
  using F = typename S::F;

  // From one group's weights to the next; all have the same where there are no scales.
  static constexpr int64_t kGroupStride = Cache::kGrouped ? kScoreStride : 0;

  // What Sum takes as weights: the softmax's, `softmax` [kN][kScoreStride], or in `scaled` [kN]
  // [groups][kScoreStride] their products with the scales of the values.
  template <int kN>
  static void Weights(const KvBlock<S>& block, const float* softmax, float* scaled,
                      const float** weights) {
    for (int n = 0; n < kN; ++n) {
      weights[n] =
          Cache::kScaled ? scaled + n * block.groups * kScoreStride : softmax + n * kScoreStride;
    }
    if constexpr (Cache::kScaled) {
      for (int64_t g = 0; g < block.groups; ++g) {
        for (int32_t r = 0; r < block.run_count; ++r) {
          const KeyRun& run = block.runs[r];
          const F scale = S::LoadF16(run.value_scale + g * block.layout.page_tokens * 2);
          for (int n = 0; n < kN; ++n) {
            S::Store(scaled + (n * block.groups + g) * kScoreStride + run.at,
                     S::Mul(S::Load(softmax + n * kScoreStride + run.at), scale));
          }
        }
      }
    }
  }

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
    const int64_t group = d / kKvGroup * kGroupStride;
    for (int32_t p = begin; p < end; ++p) {
      const std::byte* value = Opaque(block.values[p] + d * Cache::kBytes);
      const std::byte* ahead = Opaque(block.values[p + kAheadPositions] + d * Cache::kBytes);
      F lanes[kD];
      for (int j = 0; j < kD; ++j) {
        if (j * S::kLanes * Cache::kBytes % 64 == 0) {
          __builtin_prefetch(ahead + j * S::kLanes * Cache::kBytes);
        }
        lanes[j] = Cache::Value(value + j * S::kLanes * Cache::kBytes);
      }
      for (int n = 0; n < kN; ++n) {
        const float* weight = Opaque(weights[n] + group + p);
        for (int j = 0; j < kD; ++j) {
          const F one = S::Set1(weight[j * S::kLanes / kKvGroup * kGroupStride]);
          sum[n][j] = S::Fma(one, lanes[j], sum[n][j]);
        }
      }
    }
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kD; ++j) S::Store(sums[n] + d + j * S::kLanes, sum[n][j]);
    }
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_VALUES_SIMD_H_
