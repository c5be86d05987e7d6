#include "measure/korean/particles.h"

#include "measure/korean/hangul.h"

namespace jikji::measure {
namespace {

// 영 일 이 삼 사 오 육 칠 팔 구
constexpr std::array kDigitEndsInConsonant = {true,  true, false, true, false,
                                              false, true, true,  true, false};
constexpr std::string_view kDigits = "0123456789";

// A number's last word is that of its last digit but zeros, or of the unit that the zeros stand
// for: 십, 백, 천, 만 and 억 end in consonants, 조 in a vowel.
std::optional<bool> NumberEndsInConsonant(std::string_view word) {
  const size_t before = word.find_last_not_of(kDigits);
  const std::string_view digits = word.substr(before == std::string_view::npos ? 0 : before + 1);
  const size_t last = digits.find_last_not_of('0');
  if (last == std::string_view::npos)
    return digits.size() == 1 ? std::optional(true) : std::nullopt;
  const size_t zeros = digits.size() - 1 - last;
  if (zeros == 0) return kDigitEndsInConsonant[static_cast<size_t>(digits[last] - '0')];
  if (zeros >= 16) return std::nullopt;  // 경 and above: nobody writes them in digits
  return zeros < 12;
}

}  // namespace

std::optional<bool> EndsInConsonant(std::string_view word) {
  if (word.empty()) return std::nullopt;
  if (kDigits.contains(word.back())) return NumberEndsInConsonant(word);
  const auto last = Decompose(CodePoints(word).back());
  if (!last) return std::nullopt;
  return last->final != 0;
}

std::string WithParticle(std::string_view word, const ParticlePair& pair) {
  return std::string(word) + std::string(EndsInConsonant(word).value_or(false)
                                             ? pair.after_consonant
                                             : pair.after_vowel);
}

}  // namespace jikji::measure
