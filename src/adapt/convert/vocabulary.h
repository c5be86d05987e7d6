// A tokenizer from one format to the other: tokenizer.json and the `tokenizer.ggml.*` keys of GGUF.
//
// Contract: what comes back encodes and decodes as the original does (same_tokens.h), or there is
// an error. Non-goals: Unigram and WordPiece; normalisation in GGUF, which has no place for it.
#ifndef JIKJI_ADAPT_CONVERT_VOCABULARY_H_
#define JIKJI_ADAPT_CONVERT_VOCABULARY_H_

#include <boost/json.hpp>
#include <cstdint>

#include "base/error.h"
#include "tensor/gguf_metadata.h"
#include "text/tokenizer.h"

namespace jikji {

// `root` is the tokenizer.json that `original` was made of. Ids up to `rows`, those of the
// embedding, that it has no token for become unused ones.
Result<GgufVocabulary> ToGgufVocabulary(const boost::json::object& root, const Tokenizer& original,
                                        int64_t rows);

void PutVocabulary(const GgufVocabulary& vocabulary, GgufMetadata& out);

struct TokenizerFiles {
  boost::json::object tokenizer;  // tokenizer.json
  boost::json::object config;     // tokenizer_config.json, without a chat template
};
// `original` was made of the same vocabulary.
Result<TokenizerFiles> ToTokenizerFiles(const GgufVocabulary& vocabulary,
                                        const Tokenizer& original);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_VOCABULARY_H_
