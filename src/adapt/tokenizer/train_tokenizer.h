// A new byte-level BPE tokenizer from text, and a given one made better at a language.
#ifndef JIKJI_ADAPT_TOKENIZER_TRAIN_TOKENIZER_H_
#define JIKJI_ADAPT_TOKENIZER_TRAIN_TOKENIZER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adapt/tokenizer/tokenizer_file.h"
#include "adapt/tokenizer/word_counts.h"
#include "base/error.h"

namespace jikji {

// A pair that comes once teaches nothing about the next text.
inline constexpr int64_t kLeastPairCount = 2;

struct TrainedTokenizer {
  boost::json::object root;  // tokenizer.json
  int64_t tokens = 0;        // of the vocabulary
};

// `vocabulary` counts special tokens and the 256 bytes too; fewer come of a small text.
Result<TrainedTokenizer> TrainTokenizer(const WordCounts& counts, std::string_view pattern,
                                        const std::vector<std::string>& special, int64_t vocabulary,
                                        const std::function<void(double)>& progress = {});

struct ExtendedTokenizer {
  boost::json::object root;
  int64_t first = 0;  // id of the first new token
  // The tokens of the old vocabulary that each new token, from `first` on, is made of.
  std::vector<std::vector<TokenId>> parts;
};

// Goes on learning where `base` ends, from the words that hold Hangul: the new merges come after
// the old, so a text is encoded as before and then further, and a text without Hangul stays as it
// was, token for token (but for the new tokens' own spelling).
Result<ExtendedTokenizer> ExtendTokenizer(const TokenizerFile& base, const WordCounts& counts,
                                          int64_t new_tokens,
                                          const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ADAPT_TOKENIZER_TRAIN_TOKENIZER_H_
