#include "govern/guard/atom.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace jikji::guard {
namespace {

constexpr size_t kEscapeLength = 6;  // \uXXXX

constexpr AtomClass AsciiClass(unsigned char byte) {
  if (byte >= '0' && byte <= '9') return AtomClass::kDigit;
  if ((byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z')) return AtomClass::kLetter;
  switch (byte) {
    case '-':
    case '(':
    case ')':
      return AtomClass::kDash;
    case '.':
      return AtomClass::kDot;
    case ' ':
    case '\t':
    case '\n':
    case '\r':
      return AtomClass::kSpace;
    case '@':
      return AtomClass::kAt;
    case '_':
    case '%':
    case '+':
      return AtomClass::kNameMark;
    default:
      return AtomClass::kOther;
  }
}

constexpr std::array<AtomClass, 128> kAsciiClasses = [] {
  std::array<AtomClass, 128> classes{};
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = AsciiClass(static_cast<uint8_t>(i));
  return classes;
}();

bool Within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

bool IsDash(char32_t c) {
  return Within(c, 0x2010, 0x2015) || c == 0x00AD || c == 0x00B7 || c == 0x02D7 || c == 0x2022 ||
         c == 0x2027 || c == 0x2043 || c == 0x2212 || c == 0x2500 || c == 0x30FB || c == 0x30FC ||
         c == 0x3161 || c == 0x318D || c == 0xFE58 || c == 0xFE63 || c == 0xFF65;
}

bool IsSpace(char32_t c) {
  return Within(c, 0x2000, 0x200A) || c == 0x00A0 || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000 || c == 0x3164;
}

bool IsIgnorable(char32_t c) {
  return Within(c, 0x200B, 0x200F) || Within(c, 0x2060, 0x2064) || Within(c, 0xFE00, 0xFE0F) ||
         c == 0xFEFF;
}

// Full-width forms and the digits of mathematical alphabets as their ASCII counterparts.
char32_t ToAscii(char32_t c) {
  if (Within(c, 0xFF01, 0xFF5E)) return c - 0xFF01 + '!';
  if (Within(c, 0x1D7CE, 0x1D7FF)) return (c - 0x1D7CE) % 10 + '0';
  return c;
}

Atom Fold(char32_t character, size_t length) {
  Atom atom;
  atom.length = static_cast<uint8_t>(length);
  atom.folded = ToAscii(character);
  if (atom.folded < 128) {
    atom.atom_class = kAsciiClasses[atom.folded];
    if (atom.atom_class == AtomClass::kSpace) atom.folded = ' ';
  } else if (IsDash(character)) {
    atom.atom_class = AtomClass::kDash;
    atom.folded = '-';
  } else if (IsSpace(character)) {
    atom.atom_class = AtomClass::kSpace;
    atom.folded = ' ';
  } else if (IsIgnorable(character)) {
    atom.atom_class = AtomClass::kIgnorable;
  }
  return atom;
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Atom Incomplete(std::string_view rest) {
  return {.atom_class = AtomClass::kIncomplete,
          .length = static_cast<uint8_t>(rest.size()),
          .folded = 0};
}

// `rest` begins with a backslash.
Atom Escape(std::string_view rest) {
  const Atom backslash{.atom_class = AtomClass::kOther, .length = 1, .folded = '\\'};
  if (rest.size() == 1) return Incomplete(rest);
  if (rest[1] == 'n' || rest[1] == 'r' || rest[1] == 't') {
    Atom space = Fold(' ', 2);
    space.escaped = true;
    return space;
  }
  if (rest[1] != 'u') return backslash;
  char32_t character = 0;
  for (size_t i = 2; i < kEscapeLength; ++i) {
    if (i == rest.size()) return Incomplete(rest);
    const int value = HexValue(rest[i]);
    if (value < 0) return backslash;
    character = character * 16 + static_cast<char32_t>(value);
  }
  Atom atom = Fold(character, kEscapeLength);
  atom.escaped = true;
  return atom;
}

}  // namespace

Atom AtomAt(std::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 128) {
    if (byte == '\\') return Escape(text.substr(at, kEscapeLength));
    const AtomClass atom_class = kAsciiClasses[byte];
    return {.atom_class = atom_class,
            .length = 1,
            .folded = atom_class == AtomClass::kSpace ? U' ' : char32_t{byte}};
  }
  const std::string_view rest = text.substr(at, 4);
  const Utf8Char character = DecodeUtf8(rest);
  if (character.valid) return Fold(character.code_point, character.length);
  if (at + rest.size() == text.size() && IncompleteUtf8Suffix(rest) == rest.size()) {
    return Incomplete(rest);
  }
  return {.atom_class = AtomClass::kOther, .length = 1, .folded = kReplacementCharacter};
}

Atom AtomBefore(std::string_view text, size_t end) {
  const auto byte = static_cast<unsigned char>(text[end - 1]);
  const std::string_view before = text.substr(0, end);
  if (byte < 128) {
    for (const size_t length : {kEscapeLength, size_t{2}}) {
      if (end < length || before[end - length] != '\\') continue;
      const Atom atom = Escape(before.substr(end - length));
      if (atom.length == length && atom.atom_class != AtomClass::kIncomplete) return atom;
    }
    return AtomAt(before, end - 1).atom_class == AtomClass::kIncomplete
               ? Atom{.atom_class = AtomClass::kOther, .length = 1, .folded = byte}
               : AtomAt(before, end - 1);
  }
  for (size_t length = 2; length <= std::min<size_t>(4, end); ++length) {
    const Utf8Char character = DecodeUtf8(before.substr(end - length));
    if (character.valid && character.length == length) return Fold(character.code_point, length);
  }
  return {.atom_class = AtomClass::kOther, .length = 1, .folded = kReplacementCharacter};
}

}  // namespace jikji::guard
