#include "tensor/tensor.h"

#include <cstring>
#include <limits>

#include "tensor/quant/blocks.h"

namespace jikji {
namespace {

// Blocks are copied out one at a time, since a safetensors file may put a tensor at any byte.
template <class Block>
void UnpackBlocks(const std::byte* data, uint64_t blocks, float* out) {
  for (uint64_t i = 0; i < blocks; ++i) {
    Block block;
    std::memcpy(&block, data + i * sizeof(Block), sizeof(Block));
    block.Unpack(out + i * Block::kValues);
  }
}

std::unexpected<Error> Defect(const TensorView& tensor, std::string message) {
  return Fail(ErrorCode::kInvalidArgument, "tensor `" + tensor.name + "`: " + std::move(message));
}

}  // namespace

int64_t TensorView::rows() const {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return rows;
}

int64_t TensorView::cols() const { return shape.empty() ? 1 : shape.back(); }

Result<> UnpackRows(const TensorView& tensor, int64_t first, int64_t count, std::span<float> out) {
  const int64_t rows = tensor.rows();
  const int64_t cols = tensor.cols();
  if (first < 0 || count < 0 || first > rows || count > rows - first) {
    return Defect(tensor, "rows " + std::to_string(first) + " to " + std::to_string(first) + " + " +
                              std::to_string(count) + " of " + std::to_string(rows));
  }
  const auto row_bytes = RowBytes(tensor.dtype, static_cast<uint64_t>(cols));
  if (!row_bytes) return Defect(tensor, "rows of " + std::to_string(cols) + " end inside a block");
  const auto wanted = static_cast<unsigned __int128>(rows) * *row_bytes;
  if (wanted != tensor.data.size()) return Defect(tensor, "data and shape disagree");
  if (static_cast<unsigned __int128>(count) * static_cast<uint64_t>(cols) != out.size()) {
    return Defect(tensor, "room for " + std::to_string(out.size()) + " values, not for " +
                              std::to_string(count) + " rows of " + std::to_string(cols));
  }
  const std::byte* data = tensor.data.data() + static_cast<uint64_t>(first) * *row_bytes;
  const uint64_t bytes = static_cast<uint64_t>(count) * *row_bytes;
  VisitBlock(tensor.dtype,
             [&]<class Block>() { UnpackBlocks<Block>(data, bytes / sizeof(Block), out.data()); });
  return {};
}

Result<std::vector<float>> UnpackTensor(const TensorView& tensor) {
  // At least 4.5 bits of data stand for each value, so this bounds the memory by the data.
  if (tensor.values() < 0 ||
      static_cast<uint64_t>(tensor.values()) / 2 > static_cast<uint64_t>(tensor.data.size())) {
    return Defect(tensor, "data and shape disagree");
  }
  std::vector<float> out(static_cast<size_t>(tensor.values()));
  JIKJI_RETURN_IF_ERROR(UnpackRows(tensor, 0, tensor.rows(), out));
  return out;
}

}  // namespace jikji
