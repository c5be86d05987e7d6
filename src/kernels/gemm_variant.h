// What an instruction set provides for Gemm: packing, and one tile of the product.
//
// A panel holds `width` rows of A (or columns of B) side by side for some k: panel[k · width + i].
// Rows of A may also be multiplied where they lie.
#ifndef JIKJI_KERNELS_GEMM_VARIANT_H_
#define JIKJI_KERNELS_GEMM_VARIANT_H_

#include <cstdint>

namespace jikji::kernels {

struct GemmSource {
  const float* data = nullptr;
  int64_t stride = 0;    // between neighbours of the panel's width
  int64_t k_stride = 0;  // between neighbours in k
};

struct GemmTile {
  float* c = nullptr;
  int64_t stride = 0;
  int64_t rows = 0, cols = 0;  // that exist; a tile at the edge has fewer than the variant's
  bool accumulate = false;
};

// A whole tile's rows of A times one panel of B.
struct GemmTiles {
  int64_t cols = 0;  // of the panel that are computed
  // A as a panel.
  void (*packed)(const float* a, const float* b, int64_t k, const GemmTile& tile);
  // A as it lies, all of the tile's rows there: row r at a + r · stride, its values neighbours in
  // k.
  void (*in_place)(const float* a, int64_t stride, const float* b, int64_t k, const GemmTile& tile);
  // The same where rows are neighbours, and their values in k `stride` apart.
  void (*turned)(const float* a, int64_t stride, const float* b, int64_t k, const GemmTile& tile);
};

struct GemmVariant {
  int64_t rows = 0, cols = 0;  // of a whole tile: the widths of the panels of A and B
  // As many panels, one behind the other, as `count` rows or columns fill; what is left of the last
  // one's width is made zero.
  void (*pack_a)(const GemmSource& from, int64_t count, int64_t k, float* panel);
  void (*pack_b)(const GemmSource& from, int64_t count, int64_t k, float* panel);
  GemmTiles whole;
  GemmTiles narrow;  // the first columns of a panel only: for the last one, or an only one
};

extern const GemmVariant kGemmPortable;
#if defined(__x86_64__)
extern const GemmVariant kGemmAvx2;
extern const GemmVariant kGemmAvx512;
#endif

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_GEMM_VARIANT_H_
