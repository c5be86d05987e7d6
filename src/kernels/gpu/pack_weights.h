// A checkpoint's matrix to tiles (weight_tiles.h), on the host.
#ifndef JIKJI_KERNELS_GPU_PACK_WEIGHTS_H_
#define JIKJI_KERNELS_GPU_PACK_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/gpu/weight_tiles.h"
#include "tensor/tensor.h"

namespace jikji::kernels::gpu {

// Where the planes begin, each at a multiple of 256 bytes, and how long all are.
struct TileLayout {
  int32_t row_tiles = 0;
  int32_t steps = 0;
  uint64_t high = 0, scales = 0, supers = 0;
  uint64_t bytes = 0;

  TileLayout(DType dtype, int64_t rows, int64_t cols);
  // `data`: an address on the device.
  WeightTiles At(const std::byte* data, int64_t rows, int64_t cols) const;
};

// out: TileLayout's bytes. `row_order`, if not empty, says which row of `weights` becomes row i.
void PackTiles(const TensorView& weights, std::span<const int32_t> row_order, std::byte* out,
               ThreadPool& pool);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_PACK_WEIGHTS_H_
