#include "kernels/gpu/pack_weights.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "tensor/quant/blocks.h"
#include "tensor/quant/half.h"

namespace jikji::kernels::gpu {
namespace {

// Bytes of one tile, and of one row of 16 in 256 columns.
struct TileBytes {
  int64_t values, high, scales, supers;
};

TileBytes BytesOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return {2048, 0, 0, 0};
    case DType::kF16:
    case DType::kBF16:
      return {1024, 0, 0, 0};
    case DType::kQ4_0:
      return {256, 0, 32, 0};
    case DType::kQ8_0:
      return {512, 0, 32, 0};
    case DType::kQ4_K:
      return {256, 0, 32, 64};
    case DType::kQ5_K:
      return {256, 64, 32, 64};
    case DType::kQ6_K:
      return {256, 128, 32, 32};
    case DType::kF8_E4M3:
      break;  // no type of weights
  }
  return {};
}

// Where one tile's planes lie.
struct Tile {
  std::byte *values, *high, *scales, *supers;
};

template <class T>
void Put(std::byte* to, int64_t index, T value) {
  std::memcpy(to + index * static_cast<int64_t>(sizeof value), &value, sizeof value);
}

// Column i of the 8 that lane t holds.
int32_t Column(bool in_sixteens, int32_t t, int32_t i) {
  if (!in_sixteens) return 8 * t + i;
  return i < 4 ? 4 * t + i : 16 + 4 * t + i - 4;
}

uint32_t Nibbles(const uint8_t (&q)[8]) {
  uint32_t word = 0;
  for (int i = 0; i < 8; ++i)
    word |= static_cast<uint32_t>(q[i] & 15) << (4 * (i / 2) + 16 * (i % 2));
  return word;
}

// The whole numbers of a block's 32 columns, unsigned, and what goes to the scales' planes.
void Numbers(const Q4_0Block& block, int, uint8_t (&q)[32]) {
  for (int i = 0; i < 16; ++i) {
    q[i] = block.qs[i] & 15;
    q[i + 16] = block.qs[i] >> 4;
  }
}
void Numbers(const Q8_0Block& block, int, uint8_t (&q)[32]) { std::memcpy(q, block.qs, 32); }
void Numbers(const Q4_KBlock& block, int group, uint8_t (&q)[32]) {
  for (int i = 0; i < 32; ++i) q[i] = block.qs[32 * (group / 2) + i] >> (4 * (group % 2)) & 15;
}
void Numbers(const Q5_KBlock& block, int group, uint8_t (&q)[32]) {
  for (int i = 0; i < 32; ++i) {
    const int low = block.qs[32 * (group / 2) + i] >> (4 * (group % 2)) & 15;
    q[i] = static_cast<uint8_t>(low | (block.qh[i] >> group & 1) << 4);
  }
}
void Numbers(const Q6_KBlock& block, int group, uint8_t (&q)[32]) {
  const int half = group / 4, k = group % 4;
  for (int i = 0; i < 32; ++i) {
    const int low = block.ql[64 * half + 32 * (k % 2) + i] >> (4 * (k / 2)) & 15;
    q[i] = static_cast<uint8_t>(low | (block.qh[32 * half + i] >> (2 * k) & 3) << 4);
  }
}

template <class Block>
void PutScales(const Block& block, int group, int32_t row, const Tile& tile) {
  if constexpr (requires { block.dmin; }) {
    const KScales scales = UnpackKScales(block.scales);
    Put(tile.scales, 2 * row, scales.scale[group]);
    Put(tile.scales, 2 * row + 1, scales.minimum[group]);
    Put(tile.supers, 2 * row, block.d);
    Put(tile.supers, 2 * row + 1, block.dmin);
  } else if constexpr (requires { block.scales; }) {
    Put(tile.scales, 2 * row, block.scales[2 * group]);
    Put(tile.scales, 2 * row + 1, block.scales[2 * group + 1]);
    Put(tile.supers, row, block.d);
  } else {
    Put(tile.scales, row, block.d);
  }
}

// One row's 32 columns of a quantised tile.
template <class Block>
void PackRow(const std::byte* row_data, int64_t step, int32_t row, const Tile& tile) {
  constexpr int64_t kGroups = Block::kValues / kTileCols;
  Block block;
  std::memcpy(&block, row_data + step / kGroups * static_cast<int64_t>(sizeof block), sizeof block);
  const int group = static_cast<int>(step % kGroups);
  uint8_t q[32];
  Numbers(block, group, q);
  PutScales(block, group, row, tile);
  constexpr bool kSixteens = std::is_same_v<Block, Q6_KBlock>;
  const int32_t half = row / 8;
  for (int32_t t = 0; t < 4; ++t) {
    const int32_t lane = row % 8 * 4 + t;
    uint8_t run[8];
    for (int32_t i = 0; i < 8; ++i) run[i] = q[Column(kSixteens, t, i)];
    if constexpr (std::is_same_v<Block, Q8_0Block>) {
      std::memcpy(tile.values + (2 * lane + half) * 8, run, 8);
      continue;
    }
    Put(tile.values, 2 * lane + half, Nibbles(run));
    for (int i = 0; i < 8; ++i) {
      // Pair i / 2 of half `half`: its first value's upper bits, and its second's half a word
      // above.
      if constexpr (std::is_same_v<Block, Q5_KBlock>) {
        uint16_t bits;
        std::memcpy(&bits, tile.high + 2 * lane, 2);
        bits |= static_cast<uint16_t>((run[i] >> 4) << (4 * half + i / 2 + 8 * (i % 2)));
        std::memcpy(tile.high + 2 * lane, &bits, 2);
      } else if constexpr (std::is_same_v<Block, Q6_KBlock>) {
        uint32_t bits;
        std::memcpy(&bits, tile.high + 4 * lane, 4);
        bits |= static_cast<uint32_t>(run[i] >> 4) << (8 * half + 2 * (i / 2) + 16 * (i % 2));
        std::memcpy(tile.high + 4 * lane, &bits, 4);
      }
    }
  }
}

// Plain values, `columns` of them from the tile's first on.
void PackPlainRow(const std::byte* from, int64_t value_bytes, int64_t columns, int32_t row,
                  const Tile& tile) {
  const int32_t half = row / 8;
  for (int32_t t = 0; t < 4; ++t) {
    const int32_t lane = row % 8 * 4 + t;
    const int64_t count = std::clamp<int64_t>(columns - 8 * t, 0, 8);
    std::memcpy(tile.values + (2 * lane + half) * 8 * value_bytes, from + 8 * t * value_bytes,
                static_cast<size_t>(count * value_bytes));
  }
}

}  // namespace

TileLayout::TileLayout(DType dtype, int64_t rows, int64_t cols)
    : row_tiles(static_cast<int32_t>((rows + kTileRows - 1) / kTileRows)),
      steps(static_cast<int32_t>((cols + kTileCols - 1) / kTileCols)) {
  constexpr uint64_t kAlignment = 256;
  const TileBytes of = BytesOf(dtype);
  const auto row_tile = [&](int64_t tile_bytes, int32_t tiles) {
    return static_cast<uint64_t>(tile_bytes) * static_cast<uint64_t>(tiles);
  };
  planes[0].row_tile_bytes = row_tile(of.values, steps);
  planes[1].row_tile_bytes = row_tile(of.high, steps);
  planes[2].row_tile_bytes = row_tile(of.scales, steps);
  planes[3].row_tile_bytes = row_tile(of.supers, steps / kSuperTiles);
  for (Plane& plane : planes) {
    plane.begin = bytes;
    const uint64_t length = plane.row_tile_bytes * static_cast<uint64_t>(row_tiles);
    bytes += (length + kAlignment - 1) / kAlignment * kAlignment;
  }
}

WeightTiles TileLayout::At(const std::byte* data, int64_t rows, int64_t cols) const {
  const auto* base = reinterpret_cast<const unsigned char*>(data);
  return {.values = base,
          .high = base + planes[1].begin,
          .scales = base + planes[2].begin,
          .supers = base + planes[3].begin,
          .rows = static_cast<int32_t>(rows),
          .cols = static_cast<int32_t>(cols),
          .row_tiles = row_tiles,
          .steps = steps};
}

void PackTiles(const TensorView& weights, std::span<const int32_t> row_order, int64_t first_row,
               int64_t rows, std::byte* out, ThreadPool& pool) {
  const int64_t cols = weights.cols();
  const TileLayout layout(weights.dtype, rows, cols);
  const TileBytes of = BytesOf(weights.dtype);
  std::memset(out, 0, layout.bytes);
  const int64_t row_bytes = cols / BlockValues(weights.dtype) * BlockBytes(weights.dtype);
  pool.ParallelFor(static_cast<size_t>(layout.row_tiles), 1, [&](size_t begin, size_t end) {
    for (size_t row_tile = begin; row_tile < end; ++row_tile) {
      for (int32_t row = 0; row < kTileRows; ++row) {
        const int64_t index = static_cast<int64_t>(row_tile) * kTileRows + row;
        if (index >= rows) break;
        const int64_t source = row_order.empty()
                                   ? first_row + index
                                   : row_order[static_cast<size_t>(first_row + index)];
        const std::byte* data = weights.data.data() + source * row_bytes;
        for (int32_t step = 0; step < layout.steps; ++step) {
          const int64_t at = static_cast<int64_t>(row_tile) * layout.steps + step;
          const Tile tile{out + at * of.values, out + layout.planes[1].begin + at * of.high,
                          out + layout.planes[2].begin + at * of.scales,
                          out + layout.planes[3].begin + at / kSuperTiles * of.supers};
          VisitBlock(weights.dtype, [&]<class Block>() {
            if constexpr (Block::kValues == 1) {
              const auto bytes = static_cast<int64_t>(sizeof(Block));
              PackPlainRow(data + step * kTileCols * bytes, bytes, cols - step * kTileCols, row,
                           tile);
            } else {
              PackRow<Block>(data, step, row, tile);
            }
          });
        }
      }
    }
  });
}

}  // namespace jikji::kernels::gpu
