// Scores: queries times keys, lanes being positions.
//
// Contract (promise 1): the score of a query and a position is one chain of operations over the
// dimensions in order, whichever lane and tile it is in.
#ifndef JIKJI_KERNELS_ATTENTION_KEYS_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_KEYS_SIMD_H_

#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/attention_block_simd.h"

namespace jikji::kernels {

template <class S>
inline constexpr int32_t kRunsAhead = kAheadPositions / S::kLanes;

// Calls Keys::Tile for the runs that hold positions [begin, end) of a block, kWide runs at a time.
template <class Keys, int kN, int kWide, class S, class Coded>
inline void ScoreRuns(const KvBlock<S>& block, const Coded* q, int32_t begin, int32_t end,
                      float* scores) {
  int32_t r = 0;
  while (block.runs[r].at + block.runs[r].slots <= begin) ++r;
  int32_t last = block.run_count;
  while (block.runs[last - 1].at >= end) --last;
  for (; r + kWide <= last; r += kWide) {
    Keys::template Tile<kN, kWide>(block, block.runs + r, q, scores);
  }
  for (; r < last; ++r) Keys::template Tile<kN, 1>(block, block.runs + r, q, scores);
}

// Keys in floating point: `Load` of a cache's type gives lanes of f32, which kScaled has still to
// be multiplied by a scale for each position.
template <class S, class Cache>
struct FloatKeys {
  using F = typename S::F;
  using Coded = float*;  // scale · q

  static Coded Take(Arena& arena, int64_t dim) { return arena.Take<float>(dim); }
  static void Encode(const float* q, float scale, int64_t dim, Coded out) {
    for (int64_t d = 0; d < dim; ++d) out[d] = q[d] * scale;
  }

  template <int kN>
  static void Scores(const KvBlock<S>& block, const Coded* q, int32_t begin, int32_t end,
                     float* scores) {
    constexpr int kWide = Greater(1, S::kScoreTile / kN);
    ScoreRuns<FloatKeys, kN, kWide>(block, q, begin, end, scores);
  }

  template <int kN, int kP>
  static void Tile(const KvBlock<S>& block, const KeyRun* runs, const Coded* q, float* scores) {
    F sum[kN][kP];
    const std::byte* keys[kP];
    const std::byte* ahead[kP];
    for (int j = 0; j < kP; ++j) {
      keys[j] = runs[j].key;
      ahead[j] = runs[j + kRunsAhead<S>].key;
      for (int n = 0; n < kN; ++n) sum[n][j] = S::Zero();
    }
    for (int64_t d = 0; d < block.layout.head_dim; ++d) {
      F key[kP];
      for (int j = 0; j < kP; ++j) {
        key[j] = Cache::Load(keys[j]);
        __builtin_prefetch(ahead[j] + d * block.key_step);
        keys[j] += block.key_step;
      }
      for (int n = 0; n < kN; ++n) {
        const F query = S::Set1(q[n][d]);
        for (int j = 0; j < kP; ++j) sum[n][j] = S::Fma(query, key[j], sum[n][j]);
      }
    }
    if constexpr (Cache::kScaled) {
      for (int j = 0; j < kP; ++j) {
        const F scale = S::LoadF16(runs[j].scale);
        __builtin_prefetch(runs[j + kRunsAhead<S>].scale);
        for (int n = 0; n < kN; ++n) sum[n][j] = S::Mul(sum[n][j], scale);
      }
    }
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kP; ++j) {
        S::Store(scores + n * kScoreStride + runs[j].at, sum[n][j]);
      }
    }
  }
};

// Keys in Q8_0, by integer dots with a query of 15 bits: in groups of 32 dimensions it is step · v
// with |v| ≤ kQueryMost, so that sums of products are exact, and what the query loses (half a step)
// is 2^-15 of the group's largest value, well below what the keys have lost.
template <class S>
struct QuantKeys {
  using F = typename S::F;
  using Sum = typename S::KeySum;

  struct Coded {
    std::byte* quads;          // S::EncodeQuad of four dimensions, kQuadBytes each
    float* steps;              // by group
    typename Sum::Bias* bias;  // by group: what the keys' bias adds, negated
  };
  static constexpr int kQuadBytes = 8;

  static Coded Take(Arena& arena, int64_t dim) {
    std::byte* quads = arena.Take<std::byte>(dim / kKeyQuad * kQuadBytes);
    float* steps = arena.Take<float>(dim / kKvGroup);
    return {quads, steps, arena.Take<typename Sum::Bias>(dim / kKvGroup)};
  }

  static void Encode(const float* q, float scale, int64_t dim, const Coded& out) {
    for (int64_t g = 0; g < dim / kKvGroup; ++g) {
      float scaled[kKvGroup];
      float most = 0.0f;
      bool finite = true;
      for (int i = 0; i < kKvGroup; ++i) {
        scaled[i] = q[g * kKvGroup + i] * scale;
        const float magnitude = scaled[i] < 0.0f ? -scaled[i] : scaled[i];
        most = Greater(most, magnitude);
        finite = finite && magnitude < std::numeric_limits<float>::infinity();
      }
      // Below, the quotient would overflow, and all is zero.
      const bool usable = finite && most >= 0x1p-110f;
      const float inverse = usable ? kQueryMost / most : 0.0f;
      out.steps[g] = usable   ? most / kQueryMost
                     : finite ? 0.0f
                              : std::numeric_limits<float>::quiet_NaN();
      int16_t v[kKvGroup];
      for (int i = 0; i < kKvGroup; ++i) {
        // Adding 1.5 · 2^23 leaves the nearest whole number in the low bits.
        const float shifted = (usable ? scaled[i] * inverse : 0.0f) + 12582912.0f;
        int32_t bits;
        std::memcpy(&bits, &shifted, sizeof bits);
        v[i] = static_cast<int16_t>(bits);
      }
      std::byte* quads = out.quads + g * (kKvGroup / kKeyQuad * kQuadBytes);
      for (int i = 0; i < kKvGroup; i += kKeyQuad) {
        S::EncodeQuad(v + i, quads + i / kKeyQuad * kQuadBytes);
      }
      out.bias[g] = Sum::BiasOf(v);
    }
  }

  template <int kN>
  static void Scores(const KvBlock<S>& block, const Coded* q, int32_t begin, int32_t end,
                     float* scores) {
    constexpr int kWide = Greater(1, S::kQuantScoreTile / kN);
    ScoreRuns<QuantKeys, kN, kWide>(block, q, begin, end, scores);
  }

  template <int kN, int kP>
  static void Tile(const KvBlock<S>& block, const KeyRun* runs, const Coded* q, float* scores) {
    F score[kN][kP];
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kP; ++j) score[n][j] = S::Zero();
    }
    const std::byte* keys[kP];
    const std::byte* ahead[kP];
    for (int j = 0; j < kP; ++j) {
      keys[j] = runs[j].key;
      ahead[j] = runs[j + kRunsAhead<S>].key;
    }
    const int64_t step = block.key_step;
    for (int64_t g = 0; g < block.groups; ++g) {
      Sum sum[kN][kP];
      const std::byte* quads[kN];
      for (int n = 0; n < kN; ++n) {
        quads[n] = Opaque(q[n].quads + g * (kKvGroup / kKeyQuad * kQuadBytes));
        for (int j = 0; j < kP; ++j) sum[n][j] = Sum(q[n].bias[g]);
      }
#pragma GCC unroll 8
      for (int i = 0; i < kKvGroup / kKeyQuad; ++i) {
        for (int j = 0; j < kP; ++j) {
          const auto key = S::LoadKeys(keys[j]);
          __builtin_prefetch(ahead[j]);
          keys[j] += step;
          ahead[j] += step;
          for (int n = 0; n < kN; ++n) sum[n][j].Add(key, quads[n] + i * kQuadBytes);
        }
      }
      for (int j = 0; j < kP; ++j) {
        const int64_t at = g * block.layout.page_tokens * 2;
        const F scale = S::LoadF16(runs[j].scale + at);
        __builtin_prefetch(runs[j + kRunsAhead<S>].scale + at);
        for (int n = 0; n < kN; ++n) {
          score[n][j] =
              S::Fma(sum[n][j].Total(), S::Mul(scale, S::Set1(q[n].steps[g])), score[n][j]);
        }
      }
    }
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kP; ++j) {
        S::Store(scores + n * kScoreStride + runs[j].at, score[n][j]);
      }
    }
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_KEYS_SIMD_H_
