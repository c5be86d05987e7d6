#include "kernels/gpu/ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "kernels/gpu/pack_weights.h"

namespace jikji::kernels::gpu {
namespace {

struct TypeKernels {
  const device::Kernel<MatMulArgs>&small, &middle, &wide;
  const device::Kernel<EmbedArgs>& embed;
};

TypeKernels KernelsOf(DType dtype) {
#define JIKJI_TYPE(Name)                                                             \
  case DType::k##Name:                                                               \
    return {                                                                         \
      jikji_matmul_##Name##_8, jikji_matmul_##Name##_32, jikji_matmul_##Name##_wide, \
          jikji_embed_##Name                                                         \
    }
  switch (dtype) {
    JIKJI_TYPE(F32);
    JIKJI_TYPE(F16);
    JIKJI_TYPE(BF16);
    JIKJI_TYPE(Q4_0);
    JIKJI_TYPE(Q8_0);
    JIKJI_TYPE(Q4_K);
    JIKJI_TYPE(Q5_K);
    JIKJI_TYPE(Q6_K);
    case DType::kF8_E4M3:
      break;  // no type of weights
  }
#undef JIKJI_TYPE
  std::unreachable();
}

uint32_t Blocks(int64_t count, int64_t of_block) {
  return static_cast<uint32_t>((count + of_block - 1) / of_block);
}

// Rows, whole tiles of them, whose layout is within `bytes`.
int64_t RowsWithin(uint64_t bytes, DType dtype, int64_t cols) {
  const auto fits = [&](uint64_t tiles) {
    return TileLayout(dtype, static_cast<int64_t>(tiles) * kTileRows, cols).bytes <= bytes;
  };
  // One tile's bytes are rounded up for each plane, so that more may fit than this, never fewer.
  uint64_t tiles = bytes / TileLayout(dtype, kTileRows, cols).bytes;
  while (fits(tiles + 1)) ++tiles;
  return static_cast<int64_t>(tiles) * kTileRows;
}

}  // namespace

Result<DeviceMatrix> DeviceMatrix::Upload(device::Device& device, device::Staging& staging,
                                          std::byte* to, const TensorView& weights,
                                          std::span<const int32_t> row_order, ThreadPool& pool) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() - kTileCols;
  if (weights.rows() > kMost || weights.cols() > kMost) {
    return Fail(
        ErrorCode::kUnsupported,
        fmt::format("`{}` has more rows or columns than a device's kernels count", weights.name));
  }
  const TileLayout whole(weights.dtype, weights.rows(), weights.cols());
  const int64_t piece_rows = RowsWithin(staging.bytes(), weights.dtype, weights.cols());
  if (piece_rows == 0) {
    return Fail(ErrorCode::kInternal, "a piece for loading holds no 16 rows of a matrix");
  }
  for (int64_t row = 0; row < weights.rows(); row += piece_rows) {
    const int64_t rows = std::min(piece_rows, weights.rows() - row);
    const TileLayout part(weights.dtype, rows, weights.cols());
    JIKJI_ASSIGN(std::byte* const piece, staging.Next());
    PackTiles(weights, row_order, row, rows, piece, pool);
    for (size_t i = 0; i < whole.planes.size(); ++i) {
      const uint64_t bytes = whole.planes[i].row_tile_bytes;
      JIKJI_RETURN_IF_ERROR(device.CopyToDevice(
          to + whole.planes[i].begin + static_cast<uint64_t>(row / kTileRows) * bytes,
          piece + part.planes[i].begin, static_cast<uint64_t>(part.row_tiles) * bytes));
    }
    JIKJI_RETURN_IF_ERROR(staging.Sent());
  }
  return At(to, weights.dtype, weights.rows(), weights.cols());
}

DeviceMatrix DeviceMatrix::At(const std::byte* data, DType dtype, int64_t rows, int64_t cols) {
  DeviceMatrix out;
  out.tiles_ = TileLayout(dtype, rows, cols).At(data, rows, cols);
  out.dtype_ = dtype;
  return out;
}

DeviceMatrix DeviceMatrix::Rows(int64_t first, int64_t rows) const {
  DeviceMatrix out = *this;
  WeightTiles& tiles = out.tiles_;
  const TileLayout of(dtype_, rows, tiles_.cols);
  const auto skipped = static_cast<uint64_t>(first / kTileRows);
  tiles.values += skipped * of.planes[0].row_tile_bytes;
  tiles.high += skipped * of.planes[1].row_tile_bytes;
  tiles.scales += skipped * of.planes[2].row_tile_bytes;
  tiles.supers += skipped * of.planes[3].row_tile_bytes;
  tiles.rows = static_cast<int32_t>(rows);
  tiles.row_tiles = of.row_tiles;
  return out;
}

uint64_t DeviceMatrix::Bytes(DType dtype, int64_t rows, int64_t cols) {
  return TileLayout(dtype, rows, cols).bytes;
}

int64_t RowStride(int64_t width) { return (width + kTileCols - 1) / kTileCols * kTileCols; }

Result<> MatMul(device::Device& device, const DeviceMatrix& w, const uint16_t* x, int64_t tokens,
                float* y, float scale) {
  const MatMulArgs args{.w = w.tiles(),
                        .x = x,
                        .y = y,
                        .x_stride = RowStride(w.tiles().cols),
                        .y_stride = w.tiles().rows,
                        .tokens = static_cast<int32_t>(tokens),
                        .scale = scale};
  const auto row_tiles = static_cast<uint32_t>(w.tiles().row_tiles);
  const TypeKernels kernels = KernelsOf(w.dtype());
  if (tokens <= kSmallTokens[0]) return device.Launch(kernels.small, {row_tiles, 1}, args);
  if (tokens <= kSmallTokens[1]) return device.Launch(kernels.middle, {row_tiles, 1}, args);
  return device.Launch(kernels.wide,
                       {Blocks(w.tiles().rows, kWideRows), Blocks(tokens, kWideTokens)}, args);
}

Result<> Attention(device::Device& device, const AttentionArgs& args, const AttentionItem* merges,
                   int32_t merge_count) {
  using KernelOf = const device::Kernel<AttentionArgs>*;
  constexpr KernelOf kF16[] = {&jikji_attention_32, &jikji_attention_64, &jikji_attention_96,
                               &jikji_attention_128};
  constexpr KernelOf kF8[] = {&jikji_attention_F8_32, &jikji_attention_F8_64,
                              &jikji_attention_F8_96, &jikji_attention_F8_128};
  const int32_t size = (args.kv.head_dim + 31) / 32 - 1;
  const KernelOf kernel = (args.kv.key_scales == nullptr ? kF16 : kF8)[size];
  JIKJI_RETURN_IF_ERROR(
      device.Launch(*kernel, {Blocks(args.item_count, kAttentionWarps), 1}, args));
  AttentionArgs merge = args;
  merge.items = merges;
  return device.Launch(jikji_attention_merge, {static_cast<uint32_t>(merge_count), 1}, merge);
}

Result<> Embed(device::Device& device, const DeviceMatrix& w, const int32_t* ids, int64_t rows,
               float scale, float* x, const int32_t* owners, int32_t owner) {
  return device.Launch(
      KernelsOf(w.dtype()).embed, {static_cast<uint32_t>(rows), 1},
      {.w = w.tiles(), .ids = ids, .owners = owners, .x = x, .scale = scale, .owner = owner});
}

}  // namespace jikji::kernels::gpu
