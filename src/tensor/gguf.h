// Reads a GGUF file, versions 2 and 3 (ggml docs/gguf.md): key-values, tensor descriptions, data.
//
// Contract: every count and length is held to a cap and to what remains of the file before it is
// used; what is decoded takes at most kMaxGgufDecodedBytes of memory. Keys and tensor names are
// unique; the tensors tile the data section in units of the alignment, without a hole or an
// overlap, and end within the file. The vocabulary's arrays are of one length and its byte tokens
// well formed. A file without tensors is good: a vocabulary alone. An error names file:offset and
// the rule. Token texts are taken as they are, UTF-8 or not. Non-goals: version 1, big-endian
// files, files split in parts, arrays of arrays.
#ifndef JIKJI_TENSOR_GGUF_H_
#define JIKJI_TENSOR_GGUF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/gguf_metadata.h"
#include "tensor/tensor.h"

namespace jikji {

// Ten times what the largest vocabularies of today, 262,144 tokens with merges, decode to.
inline constexpr uint64_t kMaxGgufDecodedBytes = 512ull << 20;

struct GgufFile {
  uint32_t version = 0;
  uint64_t alignment = 0;
  GgufMetadata metadata;
  std::vector<TensorView> tensors;  // sorted by name; views into the bytes parsed
};

// `name` stands for the file in errors.
Result<GgufFile> ParseGguf(std::span<const std::byte> file, std::string_view name);

}  // namespace jikji

#endif  // JIKJI_TENSOR_GGUF_H_
