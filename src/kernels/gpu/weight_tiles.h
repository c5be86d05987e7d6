// How a weight matrix lies in a device's memory: in the order in which a warp's lanes need it, so
// that one load of a warp is one run of bytes, and no lane moves a value to another.
//
// A matrix is cut into tiles of 16 rows and 32 columns, padded with zeros; tiles of 16 rows follow
// each other along the columns (`steps`). With g = lane / 4 and t = lane % 4, a lane holds 8 values
// of row g and 8 of row g + 8 of a tile: columns 8t to 8t + 7 (Q6_K, whose scales are for 16
// columns: 4t to 4t + 3 and 16 + 4t to 16 + 4t + 3). They are the fragments of two m16n8k16
// products, since the order of the inner index is free where both sides have the same.
//
//   plane     per tile                                    per 16 rows and 256 columns
//   values    [lane][row g, row g + 8] 8 values each
//   high      Q5_K, Q6_K: [lane] the upper bits
//   scales    Q4_0, Q8_0: [16] f16                        supers  Q4_K, Q5_K: [16] f16 d, dmin
//             Q4_K, Q5_K: [16] u8 scale, u8 minimum               Q6_K: [16] f16 d
//             Q6_K: [16] i8 scale of columns 0-15, 16-31
//
// Four-bit values of a run of 8 are a word whose nibble i is value 2i, and i + 4 value 2i + 1, so
// that one mask gives a pair in 16-bit halves. Upper bits follow the same idea (pack_weights.cc).
#ifndef JIKJI_KERNELS_GPU_WEIGHT_TILES_H_
#define JIKJI_KERNELS_GPU_WEIGHT_TILES_H_

#include <cstdint>

namespace jikji::kernels::gpu {

inline constexpr int32_t kTileRows = 16;
inline constexpr int32_t kTileCols = 32;
inline constexpr int32_t kSuperTiles = 8;  // tiles of 256 columns

// A matrix on a device, as kernels take it.
struct WeightTiles {
  const unsigned char* values = nullptr;
  const unsigned char* high = nullptr;
  const unsigned char* scales = nullptr;
  const unsigned char* supers = nullptr;
  int32_t rows = 0;
  int32_t cols = 0;
  int32_t row_tiles = 0;
  int32_t steps = 0;
};

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_WEIGHT_TILES_H_
