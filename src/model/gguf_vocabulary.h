// The `tokenizer.ggml.*` keys of a GGUF file as the plain data that text/ makes a tokenizer of
// (tensor/ and text/ stand on one floor and cannot see each other).
#ifndef JIKJI_MODEL_GGUF_VOCABULARY_H_
#define JIKJI_MODEL_GGUF_VOCABULARY_H_

#include "base/error.h"
#include "tensor/gguf_metadata.h"
#include "text/tokenizer.h"

namespace jikji {

// kNotFound where the file has no vocabulary; errors name the key.
Result<GgufVocabulary> ReadGgufVocabulary(const GgufMetadata& metadata);

}  // namespace jikji

#endif  // JIKJI_MODEL_GGUF_VOCABULARY_H_
