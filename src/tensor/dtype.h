// Element types of weights, and how many bytes a run of them takes.
//
// Quantised types are GGML's blocks, byte for byte (ggml-common.h): Q4_0 and Q8_0 of 32 values,
// K-quants of 256. F8_E4M3 is of KV caches alone, no type of weights: a row shares a scale
// (quant/f8.h).
#ifndef JIKJI_TENSOR_DTYPE_H_
#define JIKJI_TENSOR_DTYPE_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace jikji {

enum class DType : uint8_t { kF32, kF16, kBF16, kQ4_0, kQ8_0, kQ4_K, kQ5_K, kQ6_K, kF8_E4M3 };

// "F32", "F16", "BF16", "Q4_0", ...
std::string_view DTypeName(DType dtype);
std::optional<DType> ParseDType(std::string_view name);

// Values in a block: 1 for plain types.
uint32_t BlockValues(DType dtype);
// Bytes of a block: 4 for F32, 18 for Q4_0, ...
uint32_t BlockBytes(DType dtype);
inline bool IsQuantised(DType dtype) { return BlockValues(dtype) > 1; }
inline bool IsOfWeights(DType dtype) { return dtype != DType::kF8_E4M3; }
inline constexpr uint64_t kF8ScaleBytes = 2;  // of a row

// Bytes of a row of `values`, its scale included; nullopt where the row does not end with a block
// or the size overflows.
std::optional<uint64_t> RowBytes(DType dtype, uint64_t values);

}  // namespace jikji

#endif  // JIKJI_TENSOR_DTYPE_H_
