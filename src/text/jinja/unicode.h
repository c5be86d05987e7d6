// Characters as Python sees them: classes, case, and positions by code point in UTF-8.
#ifndef JIKJI_TEXT_JINJA_UNICODE_H_
#define JIKJI_TEXT_JINJA_UNICODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jikji::jinja {

bool IsSpace(char32_t c);    // str.isspace, and \s of a pattern
bool IsAlpha(char32_t c);    // str.isalpha
bool IsDecimal(char32_t c);  // str.isdecimal
bool IsDigit(char32_t c);    // str.isdigit
bool IsWord(char32_t c);     // \w of a pattern
bool IsUpper(char32_t c);
bool IsLower(char32_t c);
bool IsCased(char32_t c);
bool IsPrintable(char32_t c);
bool IsLineBreak(char32_t c);  // where str.splitlines splits
bool IsIdentifier(std::string_view text);

std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);
std::string Capitalize(std::string_view text);
std::string ToTitle(std::string_view text);  // str.title
std::string SwapCase(std::string_view text);

// Code points in well-formed UTF-8.
size_t CountChars(std::string_view text);
// The byte where code point `index` starts; text.size() past the end.
size_t ByteOffset(std::string_view text, size_t index);
// Bytes of the character that starts with `lead`.
inline size_t CharBytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// `text` without the white space at its ends.
std::string_view StripSpace(std::string_view text, bool left = true, bool right = true);

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_UNICODE_H_
