#include "measure/korean/romanise.h"

#include <array>
#include <optional>
#include <vector>

#include "measure/korean/hangul.h"

namespace jikji::measure {
namespace {

// In Unicode's order: ㄱ ㄲ ㄴ ㄷ ㄸ ㄹ ㅁ ㅂ ㅃ ㅅ ㅆ ㅇ ㅈ ㅉ ㅊ ㅋ ㅌ ㅍ ㅎ.
enum Initial {
  kG,
  kGg,
  kN,
  kD,
  kDd,
  kR,
  kM,
  kB,
  kBb,
  kS,
  kSs,
  kNone,
  kJ,
  kJj,
  kCh,
  kK,
  kT,
  kP,
  kH
};

constexpr std::array<std::string_view, kInitials> kInitialLetters = {
    "g",  "kk", "n", "d",  "tt", "r", "m", "b", "pp", "s",
    "ss", "",   "j", "jj", "ch", "k", "t", "p", "h"};
constexpr std::array<std::string_view, kVowels> kVowelLetters = {
    "a",  "ae", "ya", "yae", "eo", "e",  "yeo", "ye", "o",  "wa", "wae",
    "oe", "yo", "u",  "wo",  "we", "wi", "yu",  "eu", "ui", "i"};
constexpr int kVowelI = 20;
constexpr int kFinalNh = 6, kFinalLh = 15, kFinalH = 27;  // ㄶ, ㅀ, ㅎ

// The seven sounds that a syllable can end in, and none.
enum class Sound { kNone, kK, kN, kT, kL, kM, kP, kNg };
constexpr std::array<std::string_view, 8> kSoundLetters = {"", "k", "n", "t", "l", "m", "p", "ng"};

// Of each final: how it sounds at the end, and what is left and carried over before a vowel.
struct Final {
  Sound sound;
  Sound left;       // before a vowel
  Initial carried;  // likewise; kNone: nothing
};
using S = Sound;
constexpr std::array<Final, kFinals> kFinalSounds = {{
    {S::kNone, S::kNone, kNone},  // none
    {S::kK, S::kNone, kG},        // ㄱ
    {S::kK, S::kNone, kGg},       // ㄲ
    {S::kK, S::kK, kS},           // ㄳ
    {S::kN, S::kNone, kN},        // ㄴ
    {S::kN, S::kN, kJ},           // ㄵ
    {S::kN, S::kNone, kN},        // ㄶ
    {S::kT, S::kNone, kD},        // ㄷ
    {S::kL, S::kNone, kR},        // ㄹ
    {S::kK, S::kL, kG},           // ㄺ
    {S::kM, S::kL, kM},           // ㄻ
    {S::kL, S::kL, kB},           // ㄼ
    {S::kL, S::kL, kS},           // ㄽ
    {S::kL, S::kL, kT},           // ㄾ
    {S::kP, S::kL, kP},           // ㄿ
    {S::kL, S::kNone, kR},        // ㅀ
    {S::kM, S::kNone, kM},        // ㅁ
    {S::kP, S::kNone, kB},        // ㅂ
    {S::kP, S::kP, kS},           // ㅄ
    {S::kT, S::kNone, kS},        // ㅅ
    {S::kT, S::kNone, kSs},       // ㅆ
    {S::kNg, S::kNg, kNone},      // ㅇ
    {S::kT, S::kNone, kJ},        // ㅈ
    {S::kT, S::kNone, kCh},       // ㅊ
    {S::kK, S::kNone, kK},        // ㅋ
    {S::kT, S::kNone, kT},        // ㅌ
    {S::kP, S::kNone, kP},        // ㅍ
    {S::kT, S::kNone, kNone},     // ㅎ
}};

struct Joint {
  Sound final;
  Initial initial;
};

// What ㅎ makes of the initial behind it: 좋고 joko.
std::optional<Initial> Aspirated(Initial initial) {
  if (initial == kG) return kK;
  if (initial == kD) return kT;
  if (initial == kJ) return kCh;
  return std::nullopt;
}

// How a final, by its index, and the initial behind it are spoken.
Joint Join(int index, const Jamo& next) {
  const Final& final = kFinalSounds[static_cast<size_t>(index)];
  const auto initial = static_cast<Initial>(next.initial);
  if (const auto aspirated = Aspirated(initial);
      aspirated && (index == kFinalH || index == kFinalNh || index == kFinalLh)) {
    return {index == kFinalH ? S::kNone : final.sound, *aspirated};
  }
  if (initial == kNone) {
    // ㄷ and ㅌ before ㅣ turn to ㅈ and ㅊ: 해돋이, 같이.
    if (next.vowel == kVowelI && final.carried == kD) return {final.left, kJ};
    if (next.vowel == kVowelI && final.carried == kT) return {final.left, kCh};
    return {final.left, final.carried};
  }
  Joint joint{final.sound, initial};
  const bool nasal = initial == kN || initial == kM;
  // ㄹ behind any consonant but ㄴ and ㄹ is spoken ㄴ; those two become ㄹㄹ.
  if (initial == kR && (joint.final == S::kN || joint.final == S::kL)) return {S::kL, kR};
  if (initial == kN && joint.final == S::kL) return {S::kL, kR};
  if (initial == kR && joint.final != S::kNone) joint.initial = kN;
  // ㄱ, ㄷ, ㅂ before a nasal, that new ㄴ among them, become nasal.
  if (nasal || (initial == kR && joint.initial == kN)) {
    if (joint.final == S::kK) joint.final = S::kNg;
    if (joint.final == S::kT) joint.final = S::kN;
    if (joint.final == S::kP) joint.final = S::kM;
  }
  return joint;
}

}  // namespace

std::string Romanise(std::string_view text) {
  std::string out;
  const std::vector<char32_t> codes = CodePoints(text);
  std::optional<Initial> spoken;  // of the next syllable, where the one before changed it
  Sound before = Sound::kNone;
  for (size_t i = 0; i < codes.size(); ++i) {
    const auto jamo = Decompose(codes[i]);
    if (!jamo) {
      AppendUtf8(codes[i], out);
      spoken.reset();
      before = Sound::kNone;
      continue;
    }
    const auto initial = spoken.value_or(static_cast<Initial>(jamo->initial));
    // ㄹㄹ is written ll.
    out +=
        initial == kR && before == Sound::kL ? "l" : kInitialLetters[static_cast<size_t>(initial)];
    out += kVowelLetters[static_cast<size_t>(jamo->vowel)];
    const Final& final = kFinalSounds[static_cast<size_t>(jamo->final)];
    const auto next = i + 1 < codes.size() ? Decompose(codes[i + 1]) : std::nullopt;
    const Joint joint = next ? Join(jamo->final, *next) : Joint{final.sound, kNone};
    out += kSoundLetters[static_cast<size_t>(joint.final)];
    before = joint.final;
    spoken = next ? std::optional(joint.initial) : std::nullopt;
  }
  return out;
}

std::string RomaniseByLetter(std::string_view text) {
  std::string out;
  for (const char32_t code : CodePoints(text)) {
    const auto jamo = Decompose(code);
    if (!jamo) {
      AppendUtf8(code, out);
      continue;
    }
    out += kInitialLetters[static_cast<size_t>(jamo->initial)];
    out += kVowelLetters[static_cast<size_t>(jamo->vowel)];
    out += kSoundLetters[static_cast<size_t>(kFinalSounds[static_cast<size_t>(jamo->final)].sound)];
  }
  return out;
}

}  // namespace jikji::measure
