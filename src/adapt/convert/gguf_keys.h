// A DecoderSpec as the keys of a GGUF file: the ones llama.cpp's converter writes, and a window for
// what has one.
#ifndef JIKJI_ADAPT_CONVERT_GGUF_KEYS_H_
#define JIKJI_ADAPT_CONVERT_GGUF_KEYS_H_

#include <string>

#include "base/error.h"
#include "model/decoder_spec.h"
#include "tensor/gguf_metadata.h"

namespace jikji {

// An error for a family that GGUF has no architecture for.
Result<GgufMetadata> GgufKeysOf(const DecoderSpec& spec, const std::string& name);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_GGUF_KEYS_H_
