// What GGUF calls by name and tokenizer.json spells as a pattern: how a byte-level tokenizer cuts
// its text.
#ifndef JIKJI_ADAPT_CONVERT_PRE_TOKENIZERS_H_
#define JIKJI_ADAPT_CONVERT_PRE_TOKENIZERS_H_

#include <optional>
#include <string_view>
#include <vector>

namespace jikji {

struct PreTokenizer {
  std::string_view name;     // `tokenizer.ggml.pre`
  std::string_view pattern;  // text/scanner.h's
  bool ignore_merges = false;
};

// Those that cut as `pattern` does, with `ignore_merges` first.
std::vector<PreTokenizer> PreTokenizersOf(std::string_view pattern, bool ignore_merges);

// What `name`, or a name that means the same, stands for; nullopt where no one pattern does.
std::optional<PreTokenizer> PreTokenizerNamed(std::string_view name);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_PRE_TOKENIZERS_H_
