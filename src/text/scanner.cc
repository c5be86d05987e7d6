#include "text/scanner.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "text/unicode_table.h"

namespace jikji {

const std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const std::string_view kCl100kPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string_view kO200kPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Mistral's "tekken": o200k without contractions, one digit a piece.
const std::string_view kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

using Family = ScanRules::Family;
using Contractions = ScanRules::Contractions;

constexpr uint8_t kNotOther = kSpace | kLetter | kNumber;

class Scanner {
 public:
  Scanner(const ScanRules& rules, std::string_view text)
      : rules_(rules), text_(text), table_(UnicodeTable::Get()) {}

  // The end of the piece that begins at `at`, at < text.size().
  size_t Next(size_t at) const {
    switch (rules_.family) {
      case Family::kGpt2:
        return NextGpt2(at);
      case Family::kCl100k:
        return NextCl100k(at);
      case Family::kO200k:
        return NextO200k(at);
    }
    return text_.size();
  }

 private:
  struct Char {
    uint8_t flags = kSpace;  // of the end of the text: belongs to no run but is no match either
    uint32_t length = 0;     // 0 at the end
  };

  Char At(size_t at) const {
    if (at >= text_.size()) return {};
    const CharAt c = FirstChar(text_.substr(at));
    return {table_.Flags(c.code), c.length};
  }

  bool IsNewline(size_t at) const {
    return at < text_.size() && (text_[at] == '\r' || text_[at] == '\n');
  }

  // The end of the run of characters that have any of `wanted`.
  size_t RunOf(size_t at, uint8_t wanted) const {
    for (;;) {
      const Char c = At(at);
      if (c.length == 0 || (c.flags & wanted) == 0) return at;
      at += c.length;
    }
  }

  size_t RunOfOther(size_t at) const {
    for (;;) {
      const Char c = At(at);
      if (c.length == 0 || (c.flags & kNotOther) != 0) return at;
      at += c.length;
    }
  }

  // The length of a contraction at `at`, or 0.
  size_t Contraction(size_t at) const {
    if (rules_.contractions == Contractions::kNone || text_[at] != '\'' || at + 1 >= text_.size()) {
      return 0;
    }
    const auto letter = [&](size_t i) -> char {
      if (i >= text_.size()) return 0;
      const char c = text_[i];
      const bool upper = c >= 'A' && c <= 'Z';
      return upper && rules_.contractions != Contractions::kLowerCase ? static_cast<char>(c + 32)
                                                                      : c;
    };
    const char first = letter(at + 1);
    const char second = letter(at + 2);
    switch (first) {
      case 's':
      case 't':
      case 'm':
      case 'd':
        return 2;
      case 'r':
      case 'v':
        return second == 'e' ? 3 : 0;
      case 'l':
        return second == 'l' ? 3 : 0;
      default:
        break;
    }
    const bool long_s = text_.substr(at + 1).starts_with("\xC5\xBF");
    return long_s && rules_.contractions == Contractions::kAnyCase ? 3 : 0;
  }

  // \s+(?!\S)|\s+ : all the white space, but its last character where a word follows.
  size_t WhiteSpace(size_t at) const {
    size_t end = at;
    size_t last = at;
    for (Char c = At(end); c.length != 0 && (c.flags & kSpace) != 0; c = At(end)) {
      last = end;
      end += c.length;
    }
    return end == text_.size() || last == at ? end : last;
  }

  // \s*[\r\n]+|\s+(?!\S)|\s+
  size_t WhiteSpaceOrLines(size_t at) const {
    size_t end = at;
    size_t last = at;
    size_t after_newline = 0;
    for (Char c = At(end); c.length != 0 && (c.flags & kSpace) != 0; c = At(end)) {
      last = end;
      end += c.length;
      if (IsNewline(last)) after_newline = end;
    }
    if (after_newline != 0) return after_newline;
    return end == text_.size() || last == at ? end : last;
  }

  size_t Digits(size_t at) const {
    for (int i = 0; i < rules_.max_digits; ++i) {
      const Char c = At(at);
      if (c.length == 0 || (c.flags & kNumber) == 0) break;
      at += c.length;
    }
    return at;
  }

  size_t NextGpt2(size_t at) const {
    if (const size_t length = Contraction(at); length != 0) return at + length;
    const size_t word = text_[at] == ' ' ? at + 1 : at;
    const Char c = At(word);
    if (c.flags & kLetter) return RunOf(word, kLetter);
    if (c.flags & kNumber) return RunOf(word, kNumber);
    if ((c.flags & kSpace) == 0) return RunOfOther(word);
    return WhiteSpace(at);
  }

  // ` ?[^\s\p{L}\p{N}]+[\r\n]*`, or `at` where it does not match.
  size_t Punctuation(size_t at) const {
    const size_t begin = text_[at] == ' ' ? at + 1 : at;
    size_t end = RunOfOther(begin);
    if (end == begin) return at;
    while (IsNewline(end) ||
           (rules_.slash_ends_punctuation && end < text_.size() && text_[end] == '/')) {
      ++end;
    }
    return end;
  }

  size_t NextCl100k(size_t at) const {
    if (const size_t length = Contraction(at); length != 0) return at + length;
    const Char c = At(at);
    if (c.flags & kLetter) return RunOf(at, kLetter);
    if (c.flags & kNumber) return Digits(at);
    if (!IsNewline(at)) {
      const size_t end = RunOf(at + c.length, kLetter);
      if (end != at + c.length) return end;
    }
    if (const size_t end = Punctuation(at); end != at) return end;
    return WhiteSpaceOrLines(at);
  }

  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ : its end, or 0. The first class
  // takes all it can; where no character of the second follows, it gives back up to the last one
  // that is in both.
  size_t Lower(size_t at) const {
    size_t after_both = 0;
    Char c = At(at);
    while (c.length != 0 && (c.flags & kUpperLike) != 0) {
      at += c.length;
      if (c.flags & kLowerLike) after_both = at;
      c = At(at);
    }
    if (c.length != 0 && (c.flags & kLowerLike) != 0) return RunOf(at, kLowerLike);
    return after_both;
  }

  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]* : its end, or 0.
  size_t Upper(size_t at) const {
    const size_t end = RunOf(at, kUpperLike);
    return end == at ? 0 : RunOf(end, kLowerLike);
  }

  size_t NextO200k(size_t at) const {
    const Char c = At(at);
    const bool prefix = (c.flags & (kLetter | kNumber)) == 0 && !IsNewline(at);
    size_t end = prefix ? Lower(at + c.length) : 0;
    if (end == 0) end = Lower(at);
    if (end == 0 && prefix) end = Upper(at + c.length);
    if (end == 0) end = Upper(at);
    if (end != 0) return end < text_.size() ? end + Contraction(end) : end;
    if (c.flags & kNumber) return Digits(at);
    if (end = Punctuation(at); end != at) return end;
    return WhiteSpaceOrLines(at);
  }

  const ScanRules rules_;
  const std::string_view text_;
  const UnicodeTable& table_;
};

}  // namespace

std::optional<ScanRules> FindScanner(std::string_view pattern) {
  if (pattern == kGpt2Pattern) return ScanRules{Family::kGpt2, Contractions::kLowerCase, 0, false};
  if (pattern == kCl100kPattern) {
    return ScanRules{Family::kCl100k, Contractions::kAnyCase, 3, false};
  }
  if (pattern == kQwen2Pattern) {
    return ScanRules{Family::kCl100k, Contractions::kAnyCase, 1, false};
  }
  if (pattern == kO200kPattern) return ScanRules{Family::kO200k, Contractions::kAnyCase, 3, true};
  if (pattern == kTekkenPattern) return ScanRules{Family::kO200k, Contractions::kNone, 1, true};
  return std::nullopt;
}

void Scan(const ScanRules& rules, std::string_view text, bool at_start, PieceSink& sink) {
  const Scanner scanner(rules, text);
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = scanner.Next(at);
    sink.Take(text.substr(at, end - at), at_start && at == 0);
    at = end;
  }
}

}  // namespace jikji
