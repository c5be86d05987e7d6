// The numbers that stand for types in a GGUF file: of metadata values and of tensors.
#ifndef JIKJI_TENSOR_GGUF_TYPES_H_
#define JIKJI_TENSOR_GGUF_TYPES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/dtype.h"

namespace jikji {

enum class GgufType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};
inline constexpr uint32_t kGgufTypes = 13;

inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr uint32_t kGgufVersion = 3;
inline constexpr uint64_t kGgufDefaultAlignment = 32;
inline constexpr std::string_view kGgufAlignmentKey = "general.alignment";

// The fewest bytes that a value of `type` takes: its size, or the length or head before it.
uint64_t GgufTypeBytes(GgufType type);

// What a tensor's type number means: its name, and a DType where Jikji runs it. nullopt where ggml
// has no such type, or has it no more.
struct GgmlType {
  uint32_t number;
  std::string_view name;
  std::optional<DType> dtype;
};
std::optional<GgmlType> FindGgmlType(uint32_t number);
uint32_t GgmlTypeNumber(DType dtype);

}  // namespace jikji

#endif  // JIKJI_TENSOR_GGUF_TYPES_H_
