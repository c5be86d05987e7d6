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

// toml++ 3.3 takes for granted that a key follows the bracket of a table's header: `[=` is
// undefined behaviour there. So headers are found first: brackets at the start of a line, outside
// of strings and of values.
class HeaderCheck {
 public:
  explicit HeaderCheck(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  // The offset of the first header without a key.
  std::optional<size_t> Find() {
    while (at_ < text_.size()) {
      SkipBlanks();
      if (depth_ == 0 && Now() == '[' && !HeaderHasKey()) return at_;
      SkipLine();
    }
    return std::nullopt;
  }

 private:
  char Now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipBlanks() {
    while (Now() == ' ' || Now() == '\t') ++at_;
  }

  bool HeaderHasKey() {
    ++at_;
    SkipBlanks();
    if (Now() == '[') ++at_;
    SkipBlanks();
    if (!StartsKey(Now()) && Now() != ']')
      return false;  // `[]` is an error that toml++ does report
    at_ = std::min(text_.find('\n', at_), text_.size());
    return true;
  }

  // To the start of the next line, over strings of several lines.
  void SkipLine() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        SkipString(c);
        continue;
      }
      if (c == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      if (c == '[' || c == '{') ++depth_;
      if ((c == ']' || c == '}') && depth_ > 0) --depth_;
      ++at_;
      if (c == '\n' || c == '#') return;
    }
  }

  void SkipString(char quote) {
    const bool long_string = text_.substr(at_, 3) == std::string(3, quote);
    at_ += long_string ? 3 : 1;
    while (at_ < text_.size()) {
      if (text_[at_] == '\\' && quote == '"') {
        at_ += 2;
      } else if (long_string && text_.substr(at_, 3) == std::string(3, quote)) {
        at_ += 3;
        return;
      } else if (!long_string && (text_[at_] == quote || text_[at_] == '\n')) {
        at_ += text_[at_] == quote ? 1 : 0;  // the end of a line is SkipLine's
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
  if (const auto offset = HeaderCheck(text).Find()) {
    const std::string_view before = text.substr(0, *offset);
    const size_t line_start = before.rfind('\n') + 1;
    return Fail(ErrorCode::kMalformed, "a table's header needs a name, as in [name]",
                fmt::format("{}:{}:{}", where, std::ranges::count(before, '\n') + 1,
                            *offset - line_start + 1));
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
