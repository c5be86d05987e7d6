// What a GGUF file may hold: caps and shapes of names that reader and writer share.
#ifndef JIKJI_TENSOR_GGUF_LIMITS_H_
#define JIKJI_TENSOR_GGUF_LIMITS_H_

#include <cstdint>
#include <string_view>

namespace jikji {

inline constexpr uint64_t kMaxGgufValues = 1 << 16;         // models have some tens
inline constexpr uint64_t kMaxGgufTensors = 1 << 20;        // and some thousands
inline constexpr uint64_t kMaxGgufNameBytes = 64;           // the format's own cap
inline constexpr uint32_t kMaxGgufDimensions = 4;           // the format's own cap
inline constexpr uint64_t kMaxGgufKeyBytes = 65535;         // the format's own cap
inline constexpr uint64_t kMaxGgufStringBytes = 64u << 20;  // a chat template has tens of KiB
inline constexpr uint64_t kMaxGgufArrayLength = 8u << 20;   // a vocabulary has some 100,000
inline constexpr uint64_t kMaxGgufAlignment = 1u << 20;

// Keys are printable ASCII, not empty.
bool IsGgufKey(std::string_view key);
// Tensor names are UTF-8 without control characters, not empty.
bool IsGgufName(std::string_view name);
// A power of two from 8 to kMaxGgufAlignment.
bool IsGgufAlignment(uint64_t alignment);

}  // namespace jikji

#endif  // JIKJI_TENSOR_GGUF_LIMITS_H_
