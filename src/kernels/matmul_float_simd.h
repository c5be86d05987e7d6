// MatMul with F32, F16 and BF16 weights, for any instruction set.
//
// Contract (promise 1): each y[t, r] has one accumulator of S::kLanes lanes; lane i takes the
// columns c ≡ i in ascending order, missing columns of the last step count as zero, and the lanes
// are added as S::Reduce does. The tile's shape changes which results are computed side by side,
// never this order.
#ifndef JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_
#define JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_

#include <cstring>

#include "kernels/matmul_variant.h"

namespace jikji::kernels {

// A type of plain weights: its size and how lanes of it are loaded.
template <class S>
struct F32Weights {
  static constexpr int64_t kBytes = 4;
  static typename S::F Load(const std::byte* from) { return S::Load(from); }
};
template <class S>
struct F16Weights {
  static constexpr int64_t kBytes = 2;
  static typename S::F Load(const std::byte* from) { return S::LoadF16(from); }
};
template <class S>
struct BF16Weights {
  static constexpr int64_t kBytes = 2;
  static typename S::F Load(const std::byte* from) { return S::LoadBF16(from); }
};

// The columns of a pass and the rows whose sums wait between passes: kTokenTile · kDepth
// activations (24 KiB) stay in the first-level cache while all rows of a span pass over them, and
// the waiting sums take at most half as much. Lanes are put aside and taken up as they are, which
// changes no bit.
inline constexpr int64_t kDepth = 1024;
inline constexpr int64_t kSpan = 32;

// Columns [begin, end) of a tile. `sums` are the tile's, [kTokens][kRows]: taken up unless begin is
// 0, and put aside unless end is cols, when the results go to y.
template <class S, class W, int kRows, int kTokens>
inline void FloatTile(const std::byte* w, int64_t row_bytes, const float* x, int64_t cols,
                      int64_t begin, int64_t end, typename S::F* sums, float* y, int64_t stride) {
  using F = typename S::F;
  F sum[kTokens][kRows];
  for (int t = 0; t < kTokens; ++t) {
    for (int r = 0; r < kRows; ++r) sum[t][r] = begin == 0 ? S::Zero() : sums[t * kRows + r];
  }
  int64_t c = begin;
  for (; c + S::kLanes <= end; c += S::kLanes) {
    F weights[kRows];
    for (int r = 0; r < kRows; ++r) weights[r] = W::Load(w + r * row_bytes + c * W::kBytes);
    for (int t = 0; t < kTokens; ++t) {
      const F values = S::Load(x + t * cols + c);
      for (int r = 0; r < kRows; ++r) sum[t][r] = S::Fma(weights[r], values, sum[t][r]);
    }
  }
  if (end < cols) {
    for (int t = 0; t < kTokens; ++t) {
      for (int r = 0; r < kRows; ++r) sums[t * kRows + r] = sum[t][r];
    }
    return;
  }
  if (const int64_t rest = cols - c; rest > 0) {
    for (int r = 0; r < kRows; ++r) {
      std::byte buffer[S::kLanes * W::kBytes] = {};
      std::memcpy(buffer, w + r * row_bytes + c * W::kBytes, static_cast<size_t>(rest * W::kBytes));
      const F weights = W::Load(buffer);
      for (int t = 0; t < kTokens; ++t) {
        sum[t][r] = S::Fma(weights, S::LoadPart(x + t * cols + c, rest), sum[t][r]);
      }
    }
  }
  for (int t = 0; t < kTokens; ++t) {
    if constexpr (kRows % 4 == 0) {
      for (int r = 0; r < kRows; r += 4) S::Reduce4(&sum[t][r], y + t * stride + r);
    } else {
      for (int r = 0; r < kRows; ++r) y[t * stride + r] = S::Reduce(sum[t][r]);
    }
  }
}

// At most kSpan rows.
template <class S, class W, int kRows, int kTokens>
inline void FloatSpan(const WeightRows& rows, const float* x, int64_t cols, float* y,
                      int64_t stride) {
  typename S::F sums[kSpan * kTokens];
  // One token uses each weight once: nothing to keep near.
  const int64_t depth = kTokens == 1 ? cols : kDepth;
  for (int64_t begin = 0; begin < cols; begin += depth) {
    const int64_t end = cols - begin < depth ? cols : begin + depth;
    int64_t r = 0;
    for (; r + kRows <= rows.count; r += kRows) {
      FloatTile<S, W, kRows, kTokens>(rows.data + r * rows.row_bytes, rows.row_bytes, x, cols,
                                      begin, end, sums + r * kTokens, y + r, stride);
    }
    for (; r < rows.count; ++r) {
      FloatTile<S, W, 1, kTokens>(rows.data + r * rows.row_bytes, rows.row_bytes, x, cols, begin,
                                  end, sums + r * kTokens, y + r, stride);
    }
  }
}

// Few tokens take more rows at a time, so that a multiply-add need not wait for the one before.
template <class S, class W, int kTokens>
inline void FloatTokens(const WeightRows& rows, const float* x, int64_t cols, float* y,
                        int64_t stride) {
  constexpr int kRows = kTokens == 1 ? 8 : kTokens == 2 ? 4 : S::kRowTile;
  for (int64_t r = 0; r < rows.count; r += kSpan) {
    const int64_t count = rows.count - r < kSpan ? rows.count - r : kSpan;
    const WeightRows span{rows.data + r * rows.row_bytes, rows.row_bytes, count};
    FloatSpan<S, W, kRows, kTokens>(span, x, cols, y + r, stride);
  }
}

template <class S, class W>
void FloatRows(const WeightRows& rows, const Activations& x, float* y, int64_t stride) {
  int64_t t = 0;
  for (; t + S::kTokenTile <= x.tokens; t += S::kTokenTile) {
    FloatTokens<S, W, S::kTokenTile>(rows, x.values + t * x.cols, x.cols, y + t * stride, stride);
  }
  const float* rest = x.values + t * x.cols;
  float* out = y + t * stride;
  switch (x.tokens - t) {
    case 1:
      return FloatTokens<S, W, 1>(rows, rest, x.cols, out, stride);
    case 2:
      return FloatTokens<S, W, 2>(rows, rest, x.cols, out, stride);
    case 3:
      return FloatTokens<S, W, 3>(rows, rest, x.cols, out, stride);
    case 4:
      return FloatTokens<S, W, 4>(rows, rest, x.cols, out, stride);
    case 5:
      return FloatTokens<S, W, 5>(rows, rest, x.cols, out, stride);
    default:
      return;
  }
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_FLOAT_SIMD_H_
