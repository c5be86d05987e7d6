#define TOML_IMPLEMENTATION
#include "base/toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace jikji {
namespace {

bool StartsKey(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '"' || c == '\'';
}

// Two things that toml++ 3.3 takes for granted, and that are undefined behaviour there where they
// are not so: that a key follows the bracket of a table's header, and that what is neither a string
// nor a comment is ASCII. They are looked for first.
class Check {
 public:
  struct Problem {
    size_t offset;
    const char* message;
  };

  explicit Check(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  std::optional<Problem> Find() {
    while (at_ < text_.size()) {
      SkipBlanks();
      if (depth_ == 0 && Now() == '[' && !HeaderHasKey()) {
        return Problem{at_,
                       "a table's header needs a name, as in [name]; other than ASCII in quotes"};
      }
      if (!SkipLine()) return Problem{at_, "other than ASCII letters must be in quotes"};
    }
    return std::nullopt;
  }

 private:
  char Now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool At(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  void SkipBlanks() {
    while (Now() == ' ' || Now() == '\t') ++at_;
  }

  bool HeaderHasKey() {
    ++at_;
    SkipBlanks();
    if (Now() == '[') ++at_;
    SkipBlanks();
    return StartsKey(Now()) || Now() == ']';  // `[]` is an error that toml++ does report
  }

  // To the start of the next line, over strings of several lines; false at a byte that may not be
  // there.
  bool SkipLine() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        SkipString(c);
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (static_cast<unsigned char>(c) >= 0x80) return false;
      if (c == '[' || c == '{') ++depth_;
      if ((c == ']' || c == '}') && depth_ > 0) --depth_;
      ++at_;
      if (c == '\n') break;
    }
    return true;
  }

  void SkipString(char quote) {
    const std::string three(3, quote);
    const bool is_long = At(three);
    at_ += is_long ? 3 : 1;
    while (at_ < text_.size()) {
      if (Now() == '\\' && quote == '"') {
        at_ += 2;
      } else if (is_long && At(three)) {
        at_ += 3;
        for (int i = 0; i < 2 && Now() == quote; ++i) ++at_;  // the text's own last quotes
        return;
      } else if (!is_long && (Now() == quote || Now() == '\n')) {
        at_ += Now() == quote ? 1 : 0;  // the end of a line is SkipLine's
        return;
      } else {
        ++at_;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;  // of brackets and braces still open
};

}  // namespace

Result<toml::table> ParseToml(std::string_view text, std::string_view where) {
  if (const auto problem = Check(text).Find()) {
    const std::string_view before = text.substr(0, problem->offset);
    const size_t line_start = before.rfind('\n') + 1;
    return Fail(ErrorCode::kMalformed, problem->message,
                fmt::format("{}:{}:{}", where, std::ranges::count(before, '\n') + 1,
                            problem->offset - line_start + 1));
  }
  toml::parse_result parsed = toml::parse(text, where);
  if (!parsed) {
    const auto& begin = parsed.error().source().begin;
    return Fail(ErrorCode::kMalformed, std::string(parsed.error().description()),
                fmt::format("{}:{}:{}", where, begin.line, begin.column));
  }
  return std::move(parsed).table();
}

}  // namespace jikji
