// MatMul with quantised weights, for instruction sets with vectors of int8; lanes are rows.
//
// Contract (promise 1): each y[t, r] is one chain of f32: group after group of columns, the exact
// integer sum of the group's products times the weights' scale (of both halves of it, in Q6_K)
// times the activations', fused; then, in K-quants, less the minimum times the scaled sum of the
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

// Whether the kind's bias is in the sums and must come off: not where Dot takes signed weights.
template <class S, class Kind>
inline constexpr bool kBiased = Kind::kBias >= 0 && (S::kDotsInto32 || Kind::kMaximum <= 127);

// Adds the products of quads [kFirst, kFirst + kCount) of a group to the integer sums of kVectors
// vectors of rows; load<quad>(row) gives weights, `quants` are the tile's rows of int8.
template <class S, class Kind, int kFirst, int kCount, int kVectors, int kTokens, class Load>
[[gnu::always_inline]] inline void DotQuads(const Load& load, const int32_t* quants,
                                            typename S::I (&sum)[kVectors][kTokens]) {
  using I = typename S::I;
  // body(row, token, weights, x) for every sum, each weight and each x loaded once.
  const auto each = [&]<int kQuad>(const auto& body) __attribute__((always_inline)) {
    I weights[kVectors];
    Unrolled<0, kVectors>([&]<int kVector>() __attribute__((always_inline)) {
      weights[kVector] = load.template operator()<kQuad, kVector>();
    });
    Unrolled<0, kTokens>([&]<int kToken>() __attribute__((always_inline)) {
      const I x = S::SetWord(quants[kQuad * kTokens + kToken]);
      Unrolled<0, kVectors>([&]<int kVector>() __attribute__((always_inline)) {
        body.template operator()<kVector, kToken>(weights[kVector], x);
      });
    });
  };
  if constexpr (S::kDotsInto32 || Kind::kMaximum > 127) {
    Unrolled<kFirst, kFirst + kCount>([&]<int kQuad>() __attribute__((always_inline)) {
      each.template operator()<kQuad>([&]<int kVector, int kToken>(I w, I x) __attribute__((
          always_inline)) { sum[kVector][kToken] = S::Dot(sum[kVector][kToken], w, x); });
    });
  } else {
    // Sums of pairs fit 16 bits for so many quads.
    constexpr int kFit = 32767 / (2 * 127 * Kind::kMaximum);
    constexpr int kRun = kFit < kCount ? kFit : kCount;
    Unrolled<0, kCount / kRun>([&]<int kPart>() __attribute__((always_inline)) {
      I pairs[kVectors][kTokens];
      Unrolled<0, kRun>([&]<int kIndex>() __attribute__((always_inline)) {
        each.template operator()<kFirst + kPart * kRun + kIndex>([&]<int kVector, int kToken>(
            I w, I x) __attribute__((always_inline)) {
          const I products = S::DotPairs(w, x);
          I& to = pairs[kVector][kToken];
          to = kIndex == 0 ? products : S::Add16(to, products);
        });
      });
      Unrolled<0, kVectors * kTokens>([&]<int kIndex>() __attribute__((always_inline)) {
        I& to = sum[kIndex / kTokens][kIndex % kTokens];
        to = S::AddPairs(to, pairs[kIndex / kTokens][kIndex % kTokens]);
      });
    });
  }
}

// kVectors vectors of rows from `row` of a panel, for a tile of kTokens tokens.
template <class S, class Kind, int kVectors, int kTokens>
inline void QuantRows(const PanelRange& panels, int64_t panel, const int32_t* tile, int row,
                      float* y, int64_t stride) {
  using I = typename S::I;
  using F = typename S::F;
  using Step = typename Kind::Step;
  constexpr int kSegmentQuads = kQuads / Kind::kSegments;
  // Sums are local and indexed by constants, or they would be stored after every group.
  F sum[kVectors][kTokens];
  Unrolled<0, kVectors * kTokens>([&]<int kIndex>() __attribute__((always_inline)) {
    sum[kIndex / kTokens][kIndex % kTokens] = S::Zero();
  });
  const auto* step = reinterpret_cast<const Step*>(panels.data + panel * panels.panel_bytes);
  for (const Step* const end = step + panels.steps; step < end; ++step) {
    for (int g = 0; g < Step::kColumns / kGroup; ++g, tile += TileRows::kCount * kTokens) {
      const auto load = [&]<int kQuad, int kVector>() __attribute__((always_inline)) {
        return Kind::template Quad<kQuad>(*step, g, row + kVector * S::kLanes);
      };
      Unrolled<0, Kind::kSegments>([&]<int kSegment>() __attribute__((always_inline)) {
        constexpr int kLess =
            Kind::kSegments == 1 ? TileRows::kLessSum : TileRows::kLessLower + kSegment;
        I dots[kVectors][kTokens];
        Unrolled<0, kTokens>([&]<int kToken>() __attribute__((always_inline)) {
          I start = S::ZeroBytes();
          if constexpr (kBiased<S, Kind>) {
            const I less = S::SetWord(tile[kLess * kTokens + kToken]);
            start = S::template ShiftLeft32<Kind::kBias>(less);
          }
          Unrolled<0, kVectors>([&]<int kVector>() __attribute__((always_inline)) {
            dots[kVector][kToken] = start;
          });
        });
        DotQuads<S, Kind, kSegment * kSegmentQuads, kSegmentQuads>(load, tile, dots);
        Unrolled<0, kVectors>([&]<int kVector>() __attribute__((always_inline)) {
          const F scale = Kind::Scale(*step, g, kSegment, row + kVector * S::kLanes);
          Unrolled<0, kTokens>([&]<int kToken>() __attribute__((always_inline)) {
            const F x = S::Set1(WordAsFloat(tile[TileRows::kScale * kTokens + kToken]));
            F& to = sum[kVector][kToken];
            to = S::Fma(S::ToFloat(dots[kVector][kToken]), S::Mul(scale, x), to);
          });
        });
      });
      if constexpr (Kind::kMinimum) {
        Unrolled<0, kVectors>([&]<int kVector>() __attribute__((always_inline)) {
          const F minimum = Kind::Minimum(*step, g, row + kVector * S::kLanes);
          Unrolled<0, kTokens>([&]<int kToken>() __attribute__((always_inline)) {
            const float x = WordAsFloat(tile[TileRows::kScaledSum * kTokens + kToken]);
            sum[kVector][kToken] = S::Fnma(minimum, S::Set1(x), sum[kVector][kToken]);
          });
        });
      }
    }
  }
  StoreTile<S, 1, kVectors, kTokens>(sum, panels, panel, row, y, stride);
}

template <class S, class Kind, int kTokens>
void QuantPanels(const PanelRange& panels, const void* tile, float* y, int64_t stride) {
  // Few tokens leave registers for more rows.
  constexpr int kVectors = kTokens <= 2 ? kPanelRows / S::kLanes : 1;
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
