#define TOML_IMPLEMENTATION
#include "base/toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace jikji {
namespace {

// The offset of a byte that is neither ASCII nor part of a string or a comment: toml++ 3.3 looks
// such a letter up in a table that does not have it (undefined behaviour), where TOML 1.0 wants
// quotes.
class Check {
 public:
  explicit Check(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    begin_ = at_;
  }

  std::optional<size_t> Find() {
    while (at_ < text_.size()) {
      const char c = Now();
      if (static_cast<unsigned char>(c) >= 0x80) return at_;
      // A quote within a bare word begins no string, and no TOML: toml++ reads on to tell of it, so
      // from there on nothing counts as quoted.
      if (c == '"' || c == '\'') broken_ = broken_ || !BeginsToken();
      if (broken_) {
        ++at_;
      } else if (c == '"' || c == '\'') {
        SkipString(c);
      } else {
        at_ = c == '#' ? std::min(text_.find('\n', at_), text_.size()) : at_ + 1;
      }
    }
    return std::nullopt;
  }

 private:
  char Now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool At(std::string_view word) const {
    return at_ < text_.size() && text_.substr(at_).starts_with(word);
  }

  bool BeginsToken() const {
    return at_ == begin_ || std::string_view(" \t\r\n=[{,.").contains(text_[at_ - 1]);
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
        ++at_;
        return;
      } else {
        ++at_;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t begin_ = 0;
  bool broken_ = false;
};

}  // namespace

Result<toml::table> ParseToml(std::string_view text, std::string_view where) {
  if (const auto offset = Check(text).Find()) {
    const std::string_view before = text.substr(0, *offset);
    const size_t line_start = before.rfind('\n') + 1;
    return Fail(ErrorCode::kMalformed, "a letter that is not ASCII stands outside of quotes",
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
