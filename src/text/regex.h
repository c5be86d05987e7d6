// Regular expressions over UTF-8 for pre-tokenizers, by PCRE2 with its JIT.
//
// Patterns are written for Oniguruma (tokenizer.json), Rust's regex (tiktoken) or llama.cpp; where
// PCRE2 reads a construct otherwise it is rewritten (`\s` without U+180E, `\w`), and what cannot be
// is refused. A search does bounded work. Thread-safe once compiled.
#ifndef JIKJI_TEXT_REGEX_H_
#define JIKJI_TEXT_REGEX_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

// The pattern in PCRE2's language, or kUnsupported.
Result<std::string> TranslatePattern(std::string_view pattern);

class Regex {
 public:
  // `where` names the pattern's place in errors.
  static Result<Regex> Compile(std::string_view pattern, std::string_view where = {});

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // Calls found(begin, end) for each match that is not empty, from left to right. Where a search
  // reaches its limit, what is left of the text has no match.
  void ForEachMatch(std::string_view text,
                    const std::function<void(size_t begin, size_t end)>& found) const;

 private:
  struct Program;
  explicit Regex(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;
};

}  // namespace jikji

#endif  // JIKJI_TEXT_REGEX_H_
