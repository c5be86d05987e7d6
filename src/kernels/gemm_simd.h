// Gemm's tile and packing for any instruction set: kRows broadcast values of A against kVectors
// vectors of B, all sums in registers (Goto & van de Geijn 2008).
#ifndef JIKJI_KERNELS_GEMM_SIMD_H_
#define JIKJI_KERNELS_GEMM_SIMD_H_

#include <cstdint>
#include <cstring>

#include "kernels/gemm_variant.h"

namespace jikji::kernels {

template <class S, int kRows, int kVectors>
struct GemmSimd {
  using F = typename S::F;
  using Quad = float __attribute__((vector_size(16)));
  static constexpr int kCols = kVectors * S::kLanes;

  static Quad LoadQuad(const float* from) {
    Quad out;
    std::memcpy(&out, from, sizeof out);
    return out;
  }
  static void StoreQuad(float* to, Quad v) { std::memcpy(to, &v, sizeof v); }

  // Four neighbours of the width times four of k, turned over.
  static void Transpose4(const float* from, int64_t stride, float* to, int64_t width) {
    const Quad a = LoadQuad(from), b = LoadQuad(from + stride);
    const Quad c = LoadQuad(from + 2 * stride), d = LoadQuad(from + 3 * stride);
    const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    StoreQuad(to, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
    StoreQuad(to + width, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
    StoreQuad(to + 2 * width, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
    StoreQuad(to + 3 * width, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
  }

  template <int kWidth>
  static void Pack(const GemmSource& from, int64_t count, int64_t k, float* panel) {
    if (count == kWidth && from.stride == 1) {
      for (int64_t j = 0; j < k; ++j) {
        std::memcpy(panel + j * kWidth, from.data + j * from.k_stride, kWidth * sizeof(float));
      }
      return;
    }
    int64_t whole = 0;  // of the width and of k, turned over in fours
    int64_t whole_k = 0;
    if (from.k_stride == 1) {
      whole = count / 4 * 4;
      whole_k = k / 4 * 4;
      for (int64_t j = 0; j < whole_k; j += 4) {
        for (int64_t i = 0; i < whole; i += 4) {
          Transpose4(from.data + i * from.stride + j, from.stride, panel + j * kWidth + i, kWidth);
        }
      }
    }
    for (int64_t j = 0; j < k; ++j) {
      const float* column = from.data + j * from.k_stride;
      float* to = panel + j * kWidth;
      for (int64_t i = j < whole_k ? whole : 0; i < count; ++i) to[i] = column[i * from.stride];
      for (int64_t i = count; i < kWidth; ++i) to[i] = 0.0f;
    }
  }

  static void Tile(const float* a, const float* b, int64_t k, const GemmTile& tile) {
    F sum[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sum[r][v] = S::Zero();
    }
    for (int64_t j = 0; j < k; ++j, a += kRows, b += kCols) {
      F lanes[kVectors];
      for (int v = 0; v < kVectors; ++v) lanes[v] = S::Load(b + v * S::kLanes);
      for (int r = 0; r < kRows; ++r) {
        const F value = S::Set1(a[r]);
        for (int v = 0; v < kVectors; ++v) sum[r][v] = S::Fma(value, lanes[v], sum[r][v]);
      }
    }
    if (tile.rows == kRows && tile.cols == kCols) {
      for (int r = 0; r < kRows; ++r) {
        float* row = tile.c + r * tile.stride;
        for (int v = 0; v < kVectors; ++v) {
          float* to = row + v * S::kLanes;
          S::Store(to, tile.accumulate ? S::Add(S::Load(to), sum[r][v]) : sum[r][v]);
        }
      }
      return;
    }
    float buffer[kRows * kCols];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) S::Store(buffer + r * kCols + v * S::kLanes, sum[r][v]);
    }
    for (int64_t r = 0; r < tile.rows; ++r) {
      float* row = tile.c + r * tile.stride;
      for (int64_t c = 0; c < tile.cols; ++c) {
        row[c] = tile.accumulate ? row[c] + buffer[r * kCols + c] : buffer[r * kCols + c];
      }
    }
  }

  static constexpr GemmVariant Variant() { return {kRows, kCols, Pack<kRows>, Pack<kCols>, Tile}; }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_GEMM_SIMD_H_
