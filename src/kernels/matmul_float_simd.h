// MatMul with F32, F16 and BF16 weights, for any instruction set; lanes are rows.
//
// Contract (promise 1): each y[t, r] is two chains of fused multiply-adds, over the even and the
// odd columns in ascending order, and their sum. Tiles of other shapes do the same for each result.
#ifndef JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_
#define JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_

#include "kernels/matmul_variant.h"
#include "kernels/weight_kinds_simd.h"

namespace jikji::kernels {

// kPanels panels from `panel`, kVectors vectors of rows of each from `row`.
template <class S, class Kind, int kPanels, int kVectors, int kTokens>
inline void FloatRows(const PanelRange& panels, int64_t panel, const float* tile, int row, float* y,
                      int64_t stride) {
  using F = typename S::F;
  using Step = typename Kind::Step;
  constexpr int kAll = kPanels * kVectors;
  F even[kAll][kTokens], odd[kAll][kTokens];
  const Step* steps[kPanels];
  for (int p = 0; p < kPanels; ++p) {
    steps[p] = reinterpret_cast<const Step*>(panels.data + (panel + p) * panels.panel_bytes);
    for (int v = p * kVectors; v < (p + 1) * kVectors; ++v) {
      for (int t = 0; t < kTokens; ++t) even[v][t] = odd[v][t] = S::Zero();
    }
  }
  for (int64_t s = 0; s < panels.steps; ++s, tile += 2 * kTokens) {
    for (int p = 0; p < kPanels; ++p) {
      for (int v = 0; v < kVectors; ++v) {
        F first, second;
        Kind::Load(steps[p][s], row + v * S::kLanes, first, second);
        for (int t = 0; t < kTokens; ++t) {
          F& e = even[p * kVectors + v][t];
          F& o = odd[p * kVectors + v][t];
          e = S::Fma(first, S::Set1(tile[t]), e);
          o = S::Fma(second, S::Set1(tile[kTokens + t]), o);
        }
      }
    }
  }
  for (int p = 0; p < kPanels; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      const int64_t from = (panel + p) * kPanelRows + row + v * S::kLanes;
      const int64_t rows = panels.rows - from;
      for (int t = 0; t < kTokens && rows > 0; ++t) {
        const F sum = S::Add(even[p * kVectors + v][t], odd[p * kVectors + v][t]);
        if (rows >= S::kLanes) {
          S::Store(y + t * stride + from, sum);
        } else {
          S::StorePart(y + t * stride + from, rows, sum);
        }
      }
    }
  }
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
