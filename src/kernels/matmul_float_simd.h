// MatMul with F32, F16 and BF16 weights, for any instruction set; lanes are rows.
//
// Contract (promise 1): each y[t, r] is two chains of fused multiply-adds, over the even and the
// odd columns in ascending order, and their sum. Tiles of other shapes do the same for each result.
#ifndef JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_
#define JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_

#include "kernels/matmul_variant.h"
#include "kernels/panel_tiles_simd.h"
#include "kernels/weight_kinds_simd.h"

namespace jikji::kernels {

// kPanels panels from `panel`, kVectors vectors of rows of each from `row`.
template <class S, class Kind, int kPanels, int kVectors, int kTokens>
inline void FloatRows(const PanelRange& panels, int64_t panel, const float* tile, int row, float* y,
                      int64_t stride) {
  using F = typename S::F;
  using Step = typename Kind::Step;
  F even[kPanels * kVectors][kTokens], odd[kPanels * kVectors][kTokens];
  const Step* steps[kPanels];
  for (int p = 0; p < kPanels; ++p) {
    steps[p] = reinterpret_cast<const Step*>(panels.data + (panel + p) * panels.panel_bytes);
  }
  Unrolled<0, kPanels * kVectors>([&]<int kIndex>() __attribute__((always_inline)) {
    for (int t = 0; t < kTokens; ++t) even[kIndex][t] = odd[kIndex][t] = S::Zero();
  });
  for (int64_t s = 0; s < panels.steps; ++s, tile += 2 * kTokens) {
    Unrolled<0, kPanels * kVectors>([&]<int kIndex>() __attribute__((always_inline)) {
      F first, second;
      Kind::Load(steps[kIndex / kVectors][s], row + kIndex % kVectors * S::kLanes, first, second);
      Unrolled<0, kTokens>([&]<int kToken>() __attribute__((always_inline)) {
        F& e = even[kIndex][kToken];
        F& o = odd[kIndex][kToken];
        e = S::Fma(first, S::Set1(tile[kToken]), e);
        o = S::Fma(second, S::Set1(tile[kTokens + kToken]), o);
      });
    });
  }
  Unrolled<0, kPanels * kVectors * kTokens>([&]<int kIndex>() __attribute__((always_inline)) {
    F& sum = even[kIndex / kTokens][kIndex % kTokens];
    sum = S::Add(sum, odd[kIndex / kTokens][kIndex % kTokens]);
  });
  StoreTile<S, kPanels, kVectors, kTokens>(even, panels, panel, row, y, stride);
}

// Few tokens take more rows at a time, so that a multiply-add need not wait for the one before.
template <class S, class Kind, int kTokens>
void FloatPanels(const PanelRange& panels, const void* tile, float* y, int64_t stride) {
  constexpr int kAll = kPanelRows / S::kLanes;
  constexpr int kVectors = kTokens == 1 ? kAll : 1;
  constexpr int kPanels = kTokens == 1 ? 4 / kAll : 1;
  const auto* x = static_cast<const float*>(tile);
  int64_t p = 0;
  for (; p + kPanels <= panels.count; p += kPanels) {
    for (int row = 0; row < kPanelRows; row += kVectors * S::kLanes) {
      FloatRows<S, Kind, kPanels, kVectors, kTokens>(panels, p, x, row, y, stride);
    }
  }
  for (; p < panels.count; ++p) {
    for (int row = 0; row < kPanelRows; row += kVectors * S::kLanes) {
      FloatRows<S, Kind, 1, kVectors, kTokens>(panels, p, x, row, y, stride);
    }
  }
}

template <class S, class Kind>
struct FloatKernels {
  template <int kTokens>
  struct Of {
    static void Run(const PanelRange& panels, const void* tile, float* y, int64_t stride) {
      FloatPanels<S, Kind, kTokens>(panels, tile, y, stride);
    }
  };
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_
