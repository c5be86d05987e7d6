// The Unicode properties that tokenizers' patterns ask for, one byte a code point.
//
// Built once from utf8proc's data. White space is the White_Space property, as Oniguruma and Rust's
// regex read `\s` (PCRE2 counts U+180E as well). Non-goals: scripts, case mapping.
#ifndef JIKJI_TEXT_UNICODE_TABLE_H_
#define JIKJI_TEXT_UNICODE_TABLE_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace jikji {

enum CharFlag : uint8_t {
  kLetter = 1,        // L
  kNumber = 2,        // N
  kSpace = 4,         // White_Space
  kUpperLike = 8,     // Lu Lt Lm Lo M
  kLowerLike = 16,    // Ll Lm Lo M
  kMark = 32,         // M
  kPunctuation = 64,  // P
  kNfcMaybe = 128,    // NFC may change a text that has it
};

class UnicodeTable {
 public:
  static const UnicodeTable& Get();

  uint8_t Flags(char32_t code) const {
    return code < 0x110000 ? blocks_[block_of_[code >> 8] * 256u + (code & 0xFF)] : 0;
  }

 private:
  UnicodeTable();
  std::array<uint16_t, 0x1100> block_of_{};
  std::vector<uint8_t> blocks_;
};

struct CharAt {
  char32_t code = 0;
  uint32_t length = 0;
};

// The character at the start of well-formed, not empty UTF-8.
inline CharAt FirstChar(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1Fu) << 6 | (byte(1) & 0x3Fu), 2};
  if (lead < 0xF0) {
    return {(lead & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu), 3};
  }
  return {
      (lead & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu),
      4};
}

}  // namespace jikji

#endif  // JIKJI_TEXT_UNICODE_TABLE_H_
