#include "text/jinja/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/utf8.h"
#include "text/jinja/string_literal.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> Run() {
    while (at_ < source_.size()) LexData();
    Add(TokenType::kEnd, at_);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void Fail(std::string message, size_t position) const {
    throw SyntaxError{std::move(message), static_cast<uint32_t>(position)};
  }

  Token& Add(TokenType type, size_t position, std::string text = {}) {
    tokens_.push_back(Token{type, static_cast<uint32_t>(position), std::move(text)});
    return tokens_.back();
  }

  bool Has(size_t at, std::string_view text) const { return source_.substr(at).starts_with(text); }

  size_t SkipSpace(size_t at) const {
    return source_.size() - StripSpace(source_.substr(at), true, false).size();
  }

  // The end of `word %}` with its signs after `at`, as raw and endraw are written; npos if it is
  // not there. `trims`: "+%}" is allowed, and one line end after a plain "%}" goes.
  size_t MatchRawTag(size_t at, std::string_view word, bool trims) const {
    at = SkipSpace(at);
    if (!Has(at, word)) return std::string_view::npos;
    at = SkipSpace(at + word.size());
    if (Has(at, "-%}")) return SkipSpace(at + 3);
    if (trims && Has(at, "+%}")) return at + 3;
    if (!Has(at, "%}")) return std::string_view::npos;
    at += 2;
    return trims && Has(at, "\n") ? at + 1 : at;
  }

  void SetLineStarting() { line_starting_ = at_ > 0 && source_[at_ - 1] == '\n'; }

  // `text` as it stands before a tag with this sign.
  std::string_view BeforeTag(std::string_view text, char sign, bool variable) const {
    if (sign == '-') return StripSpace(text, false, true);
    if (sign == '+' || variable) return text;
    const size_t line = text.rfind('\n') + 1;  // npos + 1 is 0
    if (line == 0 && !line_starting_) return text;
    return StripSpace(text.substr(line)).empty() ? text.substr(0, line) : text;
  }

  char SignAt(size_t at) const {
    return at < source_.size() && (source_[at] == '-' || source_[at] == '+') ? source_[at] : 0;
  }

  void LexData() {
    size_t tag = at_;
    for (;; ++tag) {
      tag = source_.find('{', tag);
      if (tag == std::string_view::npos || tag + 1 >= source_.size()) {
        Add(TokenType::kData, at_, std::string(source_.substr(at_)));
        at_ = source_.size();
        return;
      }
      const char next = source_[tag + 1];
      if (next == '{' || next == '%' || next == '#') break;
    }
    const char kind = source_[tag + 1];
    const char sign = SignAt(tag + 2);
    const auto text = BeforeTag(source_.substr(at_, tag - at_), sign, kind == '{');
    if (!text.empty()) Add(TokenType::kData, at_, std::string(text));
    const size_t inside = tag + 2 + (sign ? 1 : 0);
    if (kind == '#') {
      LexComment(inside, tag);
    } else if (kind == '{') {
      Add(TokenType::kVariableBegin, tag);
      at_ = inside;
      LexTag(true, tag);
    } else if (const size_t raw = MatchRawTag(inside, "raw", false);
               raw != std::string_view::npos) {
      at_ = raw;
      SetLineStarting();
      LexRaw(tag);
    } else {
      Add(TokenType::kBlockBegin, tag);
      at_ = inside;
      LexTag(false, tag);
    }
    SetLineStarting();
  }

  void LexComment(size_t inside, size_t tag) {
    const size_t end = source_.find("#}", inside);
    if (end == std::string_view::npos) {
      if (inside < source_.size()) Fail("Missing end of comment tag", tag);
      at_ = inside;  // jinja2 lets an empty one pass
      return;
    }
    at_ = end + 2;
    const char sign = end > inside ? source_[end - 1] : 0;
    if (sign == '-') {
      at_ = SkipSpace(at_);
    } else if (sign != '+' && Has(at_, "\n")) {
      ++at_;
    }
  }

  void LexRaw(size_t tag) {
    for (size_t end = at_;; ++end) {
      end = source_.find("{%", end);
      if (end == std::string_view::npos) {
        if (at_ < source_.size()) Fail("Missing end of raw directive", tag);
        return;
      }
      const char sign = SignAt(end + 2);
      const size_t after = MatchRawTag(end + 2 + (sign ? 1 : 0), "endraw", true);
      if (after == std::string_view::npos) continue;
      const auto text = BeforeTag(source_.substr(at_, end - at_), sign, false);
      if (!text.empty()) Add(TokenType::kData, at_, std::string(text));
      at_ = after;
      return;
    }
  }

  // The end of the tag, if it is here; braces of a dict must be closed first.
  bool LexTagEnd(bool variable) {
    if (!open_.empty()) return false;
    const std::string_view end = variable ? "}}" : "%}";
    const char sign = at_ < source_.size() ? source_[at_] : 0;
    const bool minus = sign == '-' && Has(at_ + 1, end);
    const bool plus = !variable && sign == '+' && Has(at_ + 1, end);
    if (!minus && !plus && !Has(at_, end)) return false;
    Add(variable ? TokenType::kVariableEnd : TokenType::kBlockEnd, at_);
    at_ += end.size() + (minus || plus ? 1 : 0);
    if (minus) {
      at_ = SkipSpace(at_);
    } else if (!plus && !variable && Has(at_, "\n")) {
      ++at_;
    }
    return true;
  }

  void LexTag(bool variable, size_t tag) {
    open_.clear();
    while (at_ < source_.size()) {
      if (LexTagEnd(variable)) return;
      const size_t next = SkipSpace(at_);
      if (next != at_) {
        at_ = next;
        continue;
      }
      const char c = source_[at_];
      if (IsAsciiDigit(c)) {
        LexNumber();
      } else if (c == '\'' || c == '"') {
        LexString(c);
      } else if (const auto decoded = DecodeUtf8(source_.substr(at_)); IsWord(decoded.code_point)) {
        LexName();
      } else {
        LexOperator();
      }
    }
    Fail(variable ? "unexpected end of template, expected 'end of print statement'."
                  : "unexpected end of template, expected 'end of statement block'.",
         tag);
  }

  // Digits with single underscores between them; the end of the run, or `at` if there is none.
  size_t Digits(size_t at) const {
    size_t end = at;
    while (end < source_.size()) {
      const bool joined = source_[end] == '_' && end > at;
      const size_t digit = joined ? end + 1 : end;
      if (digit >= source_.size() || !IsAsciiDigit(source_[digit])) break;
      end = digit + 1;
    }
    return end;
  }

  // The end of a float that starts here, or 0.
  size_t MatchFloat() const {
    if (at_ > 0 && source_[at_ - 1] == '.') return 0;
    size_t end = Digits(at_);
    size_t fraction = 0;
    if (Has(end, ".")) {
      const size_t after = Digits(end + 1);
      if (after > end + 1) fraction = after;
    }
    const size_t exponent = fraction ? fraction : end;
    if (Has(exponent, "e") || Has(exponent, "E")) {
      const size_t digits = exponent + 1 + (SignAt(exponent + 1) ? 1 : 0);
      if (const size_t after = Digits(digits); after > digits) return after;
    }
    return fraction;
  }

  // The end of an integer in base 2, 8 or 16 that starts with 0b, 0o or 0x, or 0.
  size_t MatchPrefixed(int* base) const {
    if (source_[at_] != '0' || at_ + 1 >= source_.size()) return 0;
    const char kind = static_cast<char>(source_[at_ + 1] | 0x20);
    *base = kind == 'b' ? 2 : kind == 'o' ? 8 : kind == 'x' ? 16 : 0;
    if (*base == 0) return 0;
    auto is_digit = [&](size_t at) {
      if (at >= source_.size()) return false;
      const char c = source_[at];
      const char lower = static_cast<char>(c | 0x20);
      const int value = IsAsciiDigit(c)                ? c - '0'
                        : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                       : 99;
      return value < *base;
    };
    size_t end = at_ + 2;
    while (true) {
      const size_t digit = Has(end, "_") ? end + 1 : end;
      if (!is_digit(digit)) break;
      end = digit + 1;
    }
    return end > at_ + 2 ? end : 0;
  }

  void LexNumber() {
    const size_t start = at_;
    auto written = [&](size_t begin) {
      std::string text(source_.substr(begin, at_ - begin));
      std::erase(text, '_');
      return text;
    };
    if (const size_t end = MatchFloat()) {
      at_ = end;
      Token& token = Add(TokenType::kFloat, start);
      // Too large becomes infinity, too small zero, as in Python.
      token.number = std::strtod(written(start).c_str(), nullptr);
      return;
    }
    int base = 10;
    size_t end = MatchPrefixed(&base);
    if (end == 0) {
      base = 10;
      end = Digits(at_);
      if (source_[at_] == '0') {
        // A zero is followed by zeros only: "007" is 0 and then 7, a syntax error later on.
        size_t zeros = at_ + 1;
        while (zeros < end && (source_[zeros] == '0' || source_[zeros] == '_')) ++zeros;
        while (source_[zeros - 1] == '_') --zeros;
        end = zeros;
      }
    }
    at_ = end;
    const std::string digits = written(base == 10 ? start : start + 2);
    Token& token = Add(TokenType::kInteger, start);
    auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), token.integer, base);
    if (error != std::errc() || stop != digits.data() + digits.size()) {
      throw SyntaxError{"integers beyond 64 bits are not supported", static_cast<uint32_t>(start),
                        true};
    }
  }

  void LexString(char quote) {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) Fail(fmt::format("unexpected char {:?} at {}", quote, at_), at_);
    auto text = UnescapeLiteral(source_.substr(at_ + 1, end - at_ - 1));
    if (!text) {
      throw SyntaxError{text.error().message, static_cast<uint32_t>(at_),
                        text.error().code == ErrorCode::kUnsupported};
    }
    Add(TokenType::kString, at_, std::move(*text));
    at_ = end + 1;
  }

  void LexName() {
    const size_t start = at_;
    while (at_ < source_.size()) {
      const auto c = DecodeUtf8(source_.substr(at_));
      if (!IsWord(c.code_point)) break;
      at_ += c.length;
    }
    const auto name = source_.substr(start, at_ - start);
    if (!IsIdentifier(name)) Fail("Invalid character in identifier", start);
    Add(TokenType::kName, start, std::string(name));
  }

  void LexOperator() {
    static constexpr std::string_view kOperators[] = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
        "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
    const auto found = std::ranges::find_if(kOperators, [&](auto op) { return Has(at_, op); });
    if (found == std::end(kOperators)) {
      const auto c = DecodeUtf8(source_.substr(at_));
      Fail(fmt::format("unexpected char '{}' at {}", source_.substr(at_, c.length), at_), at_);
    }
    const char c = (*found)[0];
    if (c == '(' || c == '[' || c == '{') open_.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    if (c == ')' || c == ']' || c == '}') {
      if (open_.empty()) Fail(fmt::format("unexpected '{}'", c), at_);
      if (open_.back() != c) {
        Fail(fmt::format("unexpected '{}', expected '{}'", c, open_.back()), at_);
      }
      open_.pop_back();
    }
    Add(TokenType::kOperator, at_, std::string(*found));
    at_ += found->size();
  }

  std::string_view source_;
  size_t at_ = 0;
  bool line_starting_ = true;
  std::string open_;  // closing brackets that are due
  std::vector<Token> tokens_;
};

}  // namespace

std::string NormalizeSource(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      result += source[i];
      continue;
    }
    result += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (result.ends_with('\n')) result.pop_back();
  return result;
}

std::vector<Token> Tokenize(std::string_view source) { return Lexer(source).Run(); }

}  // namespace jikji::jinja
