// Hangul syllables by arithmetic (Unicode 15, 3.12): initial, vowel, final.
#ifndef JIKJI_MEASURE_KOREAN_HANGUL_H_
#define JIKJI_MEASURE_KOREAN_HANGUL_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace jikji::measure {

inline constexpr char32_t kFirstSyllable = 0xAC00, kLastSyllable = 0xD7A3;
inline constexpr int kInitials = 19, kVowels = 21, kFinals = 28;  // the first final is none

// Indices in Unicode's order.
struct Jamo {
  int initial = 0, vowel = 0, final = 0;
};

inline std::optional<Jamo> Decompose(char32_t code) {
  if (code < kFirstSyllable || code > kLastSyllable) return std::nullopt;
  const int index = static_cast<int>(code - kFirstSyllable);
  return Jamo{index / (kVowels * kFinals), index / kFinals % kVowels, index % kFinals};
}

inline char32_t Compose(Jamo jamo) {
  return kFirstSyllable +
         static_cast<char32_t>((jamo.initial * kVowels + jamo.vowel) * kFinals + jamo.final);
}

inline std::vector<char32_t> CodePoints(std::string_view text) {
  std::vector<char32_t> codes;
  while (!text.empty()) {
    const Utf8Char next = DecodeUtf8(text);
    codes.push_back(next.code_point);
    text.remove_prefix(next.length);
  }
  return codes;
}

inline std::string FromCodePoint(char32_t code) {
  std::string text;
  AppendUtf8(code, text);
  return text;
}

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_HANGUL_H_
