// UTF-8 (RFC 3629): validate, decode, encode, and find where a text ends in the middle of a
// character.
#ifndef JIKJI_BASE_UTF8_H_
#define JIKJI_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jikji {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;
// What some programs begin a file with.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct Utf8Char {
  char32_t code_point = kReplacementCharacter;
  uint32_t length = 0;  // bytes taken; at least 1 unless the text is empty
  bool valid = false;
};

// The character at the start of `text`. An ill-formed sequence takes the bytes of its longest
// well-formed prefix (Unicode 15, 3.9, "substitution of maximal subparts"), as Python's and
// WHATWG's decoders do.
Utf8Char DecodeUtf8(std::string_view text);

bool IsValidUtf8(std::string_view text);

void AppendUtf8(char32_t code_point, std::string& out);

// How many bytes at the end of `text` may still become a character when more bytes come: 0 to 3.
size_t IncompleteUtf8Suffix(std::string_view text);

// `text` with each ill-formed sequence replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace jikji

#endif  // JIKJI_BASE_UTF8_H_
