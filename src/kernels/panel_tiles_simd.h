// What MatMul's kernels share: loops unrolled by the compiler's front end, which alone keeps arrays
// of accumulators in registers; the choice by a tile's tokens; writing results.
#ifndef JIKJI_KERNELS_PANEL_TILES_SIMD_H_
#define JIKJI_KERNELS_PANEL_TILES_SIMD_H_

#include "kernels/matmul_variant.h"

namespace jikji::kernels {

// body<i>() for i in [kBegin, kEnd).
template <int kBegin, int kEnd, class Body>
[[gnu::always_inline]] inline void Unrolled(Body&& body) {
  if constexpr (kBegin < kEnd) {
    body.template operator()<kBegin>();
    Unrolled<kBegin + 1, kEnd>(body);
  }
}

// Writes the results of a tile: kVectors vectors of rows from `row` of kPanels panels.
template <class S, int kPanels, int kVectors, int kTokens>
[[gnu::always_inline]] inline void StoreTile(
    const typename S::F (&sum)[kPanels * kVectors][kTokens], const PanelRange& panels,
    int64_t panel, int row, float* y, int64_t stride) {
  Unrolled<0, kPanels * kVectors>([&]<int kRow>() __attribute__((always_inline)) {
    const int64_t from = (panel + kRow / kVectors) * kPanelRows + row + kRow % kVectors * S::kLanes;
    const int64_t rows = panels.rows - from;
    if (rows <= 0) return;
    Unrolled<0, kTokens>([&]<int kToken>() __attribute__((always_inline)) {
      float* const to = y + kToken * stride + from;
      if (rows >= S::kLanes) {
        S::Store(to, sum[kRow][kToken]);
      } else {
        S::StorePart(to, rows, sum[kRow][kToken]);
      }
    });
  });
}

// Calls kernel<tokens> for 1 to kMost tokens.
template <int kMost, template <int> class Kernel>
void ByTokens(const PanelRange& panels, const void* tile, int tokens, float* y, int64_t stride) {
  Unrolled<1, kMost + 1>([&]<int kTokens>() __attribute__((always_inline)) {
    if (tokens == kTokens) Kernel<kTokens>::Run(panels, tile, y, stride);
  });
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_PANEL_TILES_SIMD_H_
