// Reads the key-values of a GGUF file, and holds those that other parts lean on to their rules.
#ifndef JIKJI_TENSOR_GGUF_VALUES_H_
#define JIKJI_TENSOR_GGUF_VALUES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "tensor/gguf_metadata.h"
#include "tensor/gguf_reader.h"

namespace jikji {

struct GgufValues {
  GgufMetadata metadata;
  std::map<std::string, uint64_t, std::less<>> offsets;  // of each key, for errors
  uint64_t alignment = 0;
};

// Reads `count` key-values from where `reader` stands.
Result<GgufValues> ReadGgufValues(GgufReader& reader, uint64_t count);

// Rules over more than one value: tokens, scores and types of one length; byte tokens `<0xHH>`; at
// most 512 blocks.
Result<> CheckGgufValues(const GgufValues& values, const GgufReader& reader);

}  // namespace jikji

#endif  // JIKJI_TENSOR_GGUF_VALUES_H_
