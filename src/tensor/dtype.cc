#include "tensor/dtype.h"

#include <array>
#include <limits>

#include "tensor/quant/blocks.h"

namespace jikji {
namespace {

constexpr std::array kDTypes = {DType::kF32,  DType::kF16,  DType::kBF16,
                                DType::kQ4_0, DType::kQ8_0, DType::kQ4_K,
                                DType::kQ5_K, DType::kQ6_K, DType::kF8_E4M3};

}  // namespace

std::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
    case DType::kQ4_0:
      return "Q4_0";
    case DType::kQ8_0:
      return "Q8_0";
    case DType::kQ4_K:
      return "Q4_K";
    case DType::kQ5_K:
      return "Q5_K";
    case DType::kQ6_K:
      return "Q6_K";
    case DType::kF8_E4M3:
      return "F8_E4M3";
  }
  return "unknown";
}

std::optional<DType> ParseDType(std::string_view name) {
  for (const DType dtype : kDTypes) {
    if (DTypeName(dtype) == name) return dtype;
  }
  return std::nullopt;
}

uint32_t BlockValues(DType dtype) {
  if (!IsOfWeights(dtype)) return 1;
  return VisitBlock(dtype, []<class Block>() { return Block::kValues; });
}

uint32_t BlockBytes(DType dtype) {
  if (!IsOfWeights(dtype)) return 1;
  return VisitBlock(dtype, []<class Block>() { return static_cast<uint32_t>(sizeof(Block)); });
}

std::optional<uint64_t> RowBytes(DType dtype, uint64_t values) {
  const uint64_t block_values = BlockValues(dtype);
  const uint64_t block_bytes = BlockBytes(dtype);
  if (values % block_values != 0) return std::nullopt;
  const uint64_t blocks = values / block_values;
  const uint64_t scale = dtype == DType::kF8_E4M3 ? kF8ScaleBytes : 0;
  if (blocks > (std::numeric_limits<uint64_t>::max() - scale) / block_bytes) return std::nullopt;
  return blocks * block_bytes + scale;
}

}  // namespace jikji
