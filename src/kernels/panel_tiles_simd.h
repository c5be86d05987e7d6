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

// Writes the results of kVectors vectors of a panel of which `rows` rows from the first are wanted.
template <class S, int kVectors, int kTokens>
inline void StoreRows(const typename S::F (&sum)[kVectors][kTokens], int64_t rows, float* y,
                      int64_t stride) {
  for (int v = 0; v < kVectors; ++v, rows -= S::kLanes, y += S::kLanes) {
    if (rows <= 0) return;
    for (int t = 0; t < kTokens; ++t) {
      if (rows >= S::kLanes) {
        S::Store(y + t * stride, sum[v][t]);
      } else {
        S::StorePart(y + t * stride, rows, sum[v][t]);
      }
    }
  }
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
