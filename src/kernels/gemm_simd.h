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
  static void PackPanel(const GemmSource& from, int64_t count, int64_t k, float* panel) {
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

  // `panels` whole ones of neighbours, abreast: a line of the cache is read once, not once a panel.
  template <int kWidth>
  static void CopyPanels(const GemmSource& from, int64_t panels, int64_t k, float* panel) {
    for (int64_t j = 0; j < k; ++j) {
      const float* row = from.data + j * from.k_stride;
      float* to = panel + j * kWidth;
      for (int64_t p = 0; p < panels; ++p, row += kWidth, to += k * kWidth) {
        std::memcpy(to, row, kWidth * sizeof(float));
      }
    }
  }

  template <int kWidth>
  static void Pack(const GemmSource& from, int64_t count, int64_t k, float* panel) {
    constexpr int64_t kAbreast = 8;
    int64_t done = 0;
    const auto rest = [&] {
      return GemmSource{from.data + done * from.stride, from.stride, from.k_stride};
    };
    while (from.stride == 1 && count - done >= kWidth) {
      const int64_t whole = (count - done) / kWidth;
      const int64_t panels = whole < kAbreast ? whole : kAbreast;
      CopyPanels<kWidth>(rest(), panels, k, panel + done * k);
      done += panels * kWidth;
    }
    for (; done < count; done += kWidth) {
      PackPanel<kWidth>(rest(), count - done < kWidth ? count - done : kWidth, k, panel + done * k);
    }
  }

  // The first `kOf` vectors of each panel of B.
  template <int kOf>
  struct Tiles {
    // Element (r, j) of A lies at a[r · row + j · step].
    static inline __attribute__((always_inline)) void Sum(const float* a, int64_t row, int64_t step,
                                                          const float* b, int64_t k,
                                                          F (&sum)[kRows][kOf]) {
      // Few addresses move: of three rows one, and the others lie one and two strides behind it.
      constexpr int kGroups = (kRows + 2) / 3;
      const float* group[kGroups];
      for (int g = 0; g < kGroups; ++g) group[g] = a + 3 * g * row;
      for (int r = 0; r < kRows; ++r) {
        for (int v = 0; v < kOf; ++v) sum[r][v] = S::Zero();
      }
      for (int64_t j = 0; j < k; ++j, b += kCols) {
        F lanes[kOf];
        for (int v = 0; v < kOf; ++v) lanes[v] = S::Load(b + v * S::kLanes);
        for (int r = 0; r < kRows; ++r) {
          const F value = S::Set1(group[r / 3][r % 3 * row]);
          for (int v = 0; v < kOf; ++v) sum[r][v] = S::Fma(value, lanes[v], sum[r][v]);
        }
        for (int g = 0; g < kGroups; ++g) group[g] += step;
      }
    }

    static void Packed(const float* a, const float* b, int64_t k, const GemmTile& tile) {
      F sum[kRows][kOf];
      Sum(a, 1, kRows, b, k, sum);
      Write(sum, tile);
    }

    static void InPlace(const float* a, int64_t stride, const float* b, int64_t k,
                        const GemmTile& tile) {
      F sum[kRows][kOf];
      Sum(a, stride, 1, b, k, sum);
      Write(sum, tile);
    }

    static void Turned(const float* a, int64_t stride, const float* b, int64_t k,
                       const GemmTile& tile) {
      F sum[kRows][kOf];
      Sum(a, 1, stride, b, k, sum);
      Write(sum, tile);
    }

    static inline __attribute__((always_inline)) void Write(const F (&sum)[kRows][kOf],
                                                            const GemmTile& tile) {
      constexpr int kWidth = kOf * S::kLanes;
      if (tile.rows == kRows && tile.cols == kWidth) {
        for (int r = 0; r < kRows; ++r) {
          float* row = tile.c + r * tile.stride;
          for (int v = 0; v < kOf; ++v) {
            float* to = row + v * S::kLanes;
            S::Store(to, tile.accumulate ? S::Add(S::Load(to), sum[r][v]) : sum[r][v]);
          }
        }
        return;
      }
      float buffer[kRows * kWidth];
      for (int r = 0; r < kRows; ++r) {
        for (int v = 0; v < kOf; ++v) S::Store(buffer + r * kWidth + v * S::kLanes, sum[r][v]);
      }
      for (int64_t r = 0; r < tile.rows; ++r) {
        float* row = tile.c + r * tile.stride;
        for (int64_t c = 0; c < tile.cols; ++c) {
          row[c] = tile.accumulate ? row[c] + buffer[r * kWidth + c] : buffer[r * kWidth + c];
        }
      }
    }

    static constexpr GemmTiles Table() { return {kOf * S::kLanes, Packed, InPlace, Turned}; }
  };

  static constexpr GemmVariant Variant() {
    constexpr int kHalf = (kVectors + 1) / 2;
    return {
        kRows, kCols, Pack<kRows>, Pack<kCols>, Tiles<kVectors>::Table(), Tiles<kHalf>::Table()};
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_GEMM_SIMD_H_
