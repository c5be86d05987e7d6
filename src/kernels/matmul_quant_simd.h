// MatMul with quantised weights, for instruction sets with vectors of int8; lanes are rows.
//
// Contract (promise 1): each y[t, r] is one chain of f32: group after group of columns, the exact
// integer sum of the group's products (of each half of it, in Q6_K) times the weights' scale times
// the activations', fused; then, in K-quants, less the minimum times the scaled sum of the
// activations. Tiles of other shapes do the same for each result.
#ifndef JIKJI_KERNELS_MATMUL_QUANT_SIMD_H_
#define JIKJI_KERNELS_MATMUL_QUANT_SIMD_H_

#include <cstring>

#include "kernels/matmul_variant.h"
#include "kernels/panel_tiles_simd.h"
#include "kernels/weight_kinds_simd.h"

namespace jikji::kernels {

inline float WordAsFloat(int32_t word) {
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

// A group's integer sums for kVectors vectors of rows and kTokens tokens, quads [kFirst, kFirst +
// kCount). `start` holds what the sums begin with; `quants` are the tile's rows of int8.
template <class S, class Kind, int kVectors, int kTokens, int kFirst, int kCount>
[[gnu::always_inline]] inline void DotQuads(const typename Kind::Step& step, int group, int row,
                                            const int32_t* quants,
                                            typename S::I (&sum)[kVectors][kTokens]) {
  using I = typename S::I;
  const auto load = [&]<int kQuad>(int v) __attribute__((always_inline)) {
    return Kind::template Quad<kQuad>(step, group, row + v * S::kLanes);
  };
  if constexpr (S::kDotsInto32 || Kind::kMaximum > 127) {
    Unrolled<kFirst, kFirst + kCount>([&]<int kQuad>() __attribute__((always_inline)) {
      for (int v = 0; v < kVectors; ++v) {
        const I weights = load.template operator()<kQuad>(v);
        for (int t = 0; t < kTokens; ++t) {
          const I x = S::SetWord(quants[kQuad * kTokens + t]);
          sum[v][t] = S::Dot(sum[v][t], weights, x);
        }
      }
    });
  } else {
    // Sums of pairs fit 16 bits for so many quads.
    constexpr int kFit = 32767 / (2 * 127 * Kind::kMaximum);
    constexpr int kRun = kFit < kCount ? kFit : kCount;
    Unrolled<0, kCount / kRun>([&]<int kPart>() __attribute__((always_inline)) {
      I pairs[kVectors][kTokens];
      Unrolled<0, kRun>([&]<int kIndex>() __attribute__((always_inline)) {
        constexpr int kQuad = kFirst + kPart * kRun + kIndex;
        for (int v = 0; v < kVectors; ++v) {
          const I weights = load.template operator()<kQuad>(v);
          for (int t = 0; t < kTokens; ++t) {
            const I products = S::DotPairs(weights, S::SetWord(quants[kQuad * kTokens + t]));
            pairs[v][t] = kIndex == 0 ? products : S::Add16(pairs[v][t], products);
          }
        }
      });
      for (int v = 0; v < kVectors; ++v) {
        for (int t = 0; t < kTokens; ++t) sum[v][t] = S::AddPairs(sum[v][t], pairs[v][t]);
      }
    });
  }
}

// Whether the kind's bias is in the sums and must come off: not where Dot takes signed weights.
template <class S, class Kind>
inline constexpr bool kBiased = Kind::kBias >= 0 && (S::kDotsInto32 || Kind::kMaximum <= 127);

// kVectors vectors of rows from `row` of a panel, for a tile of kTokens tokens. The sums are local:
// through a reference, which bytes may alias, each would be stored after every group.
template <class S, class Kind, int kVectors, int kTokens>
inline void QuantRows(const PanelRange& panels, int64_t panel, const int32_t* tile, int row,
                      float* y, int64_t stride) {
  using I = typename S::I;
  using F = typename S::F;
  using Step = typename Kind::Step;
  constexpr int kSegmentQuads = kQuads / Kind::kSegments;
  F sum[kVectors][kTokens];
  for (int v = 0; v < kVectors; ++v) {
    for (int t = 0; t < kTokens; ++t) sum[v][t] = S::Zero();
  }
  const auto* step = reinterpret_cast<const Step*>(panels.data + panel * panels.panel_bytes);
  for (const Step* const end = step + panels.steps; step < end; ++step) {
    for (int g = 0; g < Step::kColumns / kGroup; ++g, tile += TileRows::kCount * kTokens) {
      Unrolled<0, Kind::kSegments>([&]<int kSegment>() __attribute__((always_inline)) {
        constexpr int kLess =
            Kind::kSegments == 1 ? TileRows::kLessSum : TileRows::kLessLower + kSegment;
        I dots[kVectors][kTokens];
        for (int v = 0; v < kVectors; ++v) {
          for (int t = 0; t < kTokens; ++t) {
            if constexpr (kBiased<S, Kind>) {
              dots[v][t] =
                  S::template ShiftLeft32<Kind::kBias>(S::SetWord(tile[kLess * kTokens + t]));
            } else {
              dots[v][t] = S::ZeroBytes();
            }
          }
        }
        DotQuads<S, Kind, kVectors, kTokens, kSegment * kSegmentQuads, kSegmentQuads>(*step, g, row,
                                                                                      tile, dots);
        for (int v = 0; v < kVectors; ++v) {
          const F scale = Kind::Scale(*step, g, kSegment, row + v * S::kLanes);
          for (int t = 0; t < kTokens; ++t) {
            const float x = WordAsFloat(tile[TileRows::kScale * kTokens + t]);
            sum[v][t] = S::Fma(S::ToFloat(dots[v][t]), S::Mul(scale, S::Set1(x)), sum[v][t]);
          }
        }
      });
      if constexpr (Kind::kMinimum) {
        for (int v = 0; v < kVectors; ++v) {
          const F minimum = Kind::Minimum(*step, g, row + v * S::kLanes);
          for (int t = 0; t < kTokens; ++t) {
            const float x = WordAsFloat(tile[TileRows::kScaledSum * kTokens + t]);
            sum[v][t] = S::Fnma(minimum, S::Set1(x), sum[v][t]);
          }
        }
      }
    }
  }
  const int64_t from = panel * kPanelRows + row;
  StoreRows<S, kVectors, kTokens>(sum, panels.rows - from, y + from, stride);
}

template <class S, class Kind, int kTokens>
void QuantPanels(const PanelRange& panels, const void* tile, float* y, int64_t stride) {
  constexpr int kAll = kPanelRows / S::kLanes;
  constexpr int kVectors = kTokens <= 2 ? kAll : 1;  // few tokens leave registers for more rows
  const auto* x = static_cast<const int32_t*>(tile);
  for (int64_t p = 0; p < panels.count; ++p) {
    for (int row = 0; row < kPanelRows; row += kVectors * S::kLanes) {
      QuantRows<S, Kind, kVectors, kTokens>(panels, p, x, row, y, stride);
    }
  }
}

template <class S, class Kind>
struct QuantKernels {
  template <int kTokens>
  struct Of {
    static void Run(const PanelRange& panels, const void* tile, float* y, int64_t stride) {
      QuantPanels<S, Kind, kTokens>(panels, tile, y, stride);
    }
  };
};

template <class S>
void QuantiseTokenSimd(const float* x, int64_t groups, int32_t* tile, int token, int tokens) {
  for (int64_t g = 0; g < groups; ++g, x += kGroup, tile += TileRows::kCount * tokens) {
    alignas(64) int32_t quants[kQuads];
    float scale;
    int32_t lower, upper;
    S::Quantise32(x, reinterpret_cast<int8_t*>(quants), &scale, &lower, &upper);
    int32_t* to = tile + token;
    for (int q = 0; q < kQuads; ++q) to[q * tokens] = quants[q];
    const float sum = scale * static_cast<float>(lower + upper);
    std::memcpy(to + TileRows::kScale * tokens, &scale, sizeof scale);
    to[TileRows::kLessSum * tokens] = -(lower + upper);
    to[TileRows::kLessLower * tokens] = -lower;
    to[TileRows::kLessUpper * tokens] = -upper;
    std::memcpy(to + TileRows::kScaledSum * tokens, &sum, sizeof sum);
  }
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_QUANT_SIMD_H_
