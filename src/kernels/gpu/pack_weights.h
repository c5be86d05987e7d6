// A checkpoint's matrix to tiles (weight_tiles.h), on the host.
#ifndef JIKJI_KERNELS_GPU_PACK_WEIGHTS_H_
#define JIKJI_KERNELS_GPU_PACK_WEIGHTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/gpu/weight_tiles.h"
#include "tensor/tensor.h"

namespace jikji::kernels::gpu {

// Where the planes begin, each at a multiple of 256 bytes, and how long all are.
struct TileLayout {
  struct Plane {
    uint64_t begin = 0;
    uint64_t row_tile_bytes = 0;  // of 16 rows, which follow each other
  };

  int32_t row_tiles = 0;
  int32_t steps = 0;
  std::array<Plane, 4> planes;  // values, high, scales, supers
  uint64_t bytes = 0;

  TileLayout(DType dtype, int64_t rows, int64_t cols);
  // `data`: an address on the device.
  WeightTiles At(const std::byte* data, int64_t rows, int64_t cols) const;
};

// Rows [first_row, first_row + rows) as a matrix of their own. out: its TileLayout's bytes.
// `row_order`, if not empty, says which row of `weights` becomes row i.
void PackTiles(const TensorView& weights, std::span<const int32_t> row_order, int64_t first_row,
               int64_t rows, std::byte* out, ThreadPool& pool);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_PACK_WEIGHTS_H_
