// Tokens that are recognised in the text itself, before any model sees it: special tokens, and what
// was added to a vocabulary later.
//
// Matches are leftmost-longest and do not overlap, as in Hugging Face's tokenizers. Cost: the
// length of the text times that of the longest token at worst. Thread-safe once made.
#ifndef JIKJI_TEXT_ADDED_TOKENS_H_
#define JIKJI_TEXT_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace jikji {

struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool special = false;
  bool normalized = false;   // looked for in the normalised text
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // and after it
};

class AddedTokenMatcher {
 public:
  struct Part {
    size_t begin = 0;
    size_t end = 0;
    TokenId id = -1;  // -1: ordinary text
  };

  AddedTokenMatcher() = default;
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }

  // Parts that cover `text`, which is well-formed UTF-8. Unless `parse_special`, special tokens are
  // ordinary text.
  std::vector<Part> Split(std::string_view text, bool parse_special) const;

 private:
  // The longest token that begins at `at`, or nullptr.
  const AddedToken* Match(std::string_view text, size_t at) const;

  std::vector<AddedToken> tokens_;
  std::array<bool, 256> first_{};                    // bytes that a token begins with
  std::unordered_map<uint64_t, uint32_t> edges_;     // node << 8 | byte → node; the root is 0
  std::unordered_map<uint32_t, uint32_t> token_at_;  // node → token
};

}  // namespace jikji

#endif  // JIKJI_TEXT_ADDED_TOKENS_H_
