// Where a text spells a special token of the tokenizer, in whole or in part.
//
// docs/design/prompt-injection.md says what for. Contract: time is linear in the text for any
// vocabulary whose special tokens do not begin inside one another.
#ifndef JIKJI_API_SPECIAL_SPELLINGS_H_
#define JIKJI_API_SPECIAL_SPELLINGS_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace jikji {

struct TextSpan {
  size_t begin = 0;
  size_t end = 0;
};

class SpecialSpellings {
 public:
  explicit SpecialSpellings(const Tokenizer& tokenizer);

  // Whole spellings, leftmost first and the longest of those that begin there.
  std::vector<TextSpan> FindWhole(std::string_view text) const;

  // What could make a spelling together with a text that stands before or after: the longest end of
  // `text` that begins a spelling, the longest start that ends one, or the whole of it if it stands
  // inside one. Ascending, not overlapping, and not overlapping `whole`, which is what FindWhole
  // returned for this text.
  std::vector<TextSpan> FindFragments(std::string_view text,
                                      const std::vector<TextSpan>& whole) const;

 private:
  std::vector<std::string> spellings_;  // sorted
  std::vector<std::string> reversed_;   // each spelling backwards, sorted
  std::array<bool, 256> starts_{};      // bytes that begin a spelling
  size_t longest_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_API_SPECIAL_SPELLINGS_H_
