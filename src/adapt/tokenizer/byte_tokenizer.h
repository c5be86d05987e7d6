// For tests: the tokenizer.json of a tokenizer of the 256 bytes.
#ifndef JIKJI_ADAPT_TOKENIZER_BYTE_TOKENIZER_H_
#define JIKJI_ADAPT_TOKENIZER_BYTE_TOKENIZER_H_

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "adapt/tokenizer/tokenizer_file.h"

namespace jikji {

inline std::string ByteTokenizer() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  return boost::json::serialize(NewTokenizerJson(kGpt2Pattern, {}, tokens, {}));
}

}  // namespace jikji

#endif  // JIKJI_ADAPT_TOKENIZER_BYTE_TOKENIZER_H_
