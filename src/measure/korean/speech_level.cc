#include "measure/korean/speech_level.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <string>

#include "measure/korean/hangul.h"

namespace jikji::measure {
namespace {

constexpr int kFinalB = 17;  // ㅂ

bool IsMark(char32_t code) { return code == '.' || code == '!' || code == '?' || code == 0x2026; }

// Nouns and adverbs in 요 that a heading may end with.
constexpr std::array<std::u32string_view, 6> kNounsInYo = {U"필요", U"중요", U"주요",
                                                           U"수요", U"개요", U"소요"};
// Last syllables of 해체 and 해라체 beside 다: 가자, 봐라, 뭐냐, 하니, 했어, 좋아, 이야, 하지,
// 하네, 해, 할까, 할게, 할래, 하군.
constexpr std::u32string_view kPlainEndings = U"자라냐니어아야지네해까게래군워줘봐";

bool EndsWith(std::u32string_view text, std::u32string_view end) { return text.ends_with(end); }

bool HasFinalB(char32_t code) {
  const auto jamo = Decompose(code);
  return jamo && jamo->final == kFinalB;
}

// 합니다, 합니까, 합시다, 하십시오: ㅂ before the last two syllables.
bool IsHapsyo(std::u32string_view text) {
  if (text.size() < 3 || !HasFinalB(text[text.size() - 3])) return false;
  return EndsWith(text, U"니다") || EndsWith(text, U"니까") || EndsWith(text, U"시다") ||
         EndsWith(text, U"시오");
}

bool IsHaeyo(std::u32string_view text) {
  if (EndsWith(text, U"죠")) return true;
  if (!EndsWith(text, U"요") || text.size() < 2) return false;
  return std::ranges::none_of(kNounsInYo,
                              [&](std::u32string_view noun) { return EndsWith(text, noun); });
}

std::optional<SpeechLevel> LevelOf(std::u32string_view text, bool marked) {
  if (text.empty() || !Decompose(text.back())) return std::nullopt;
  if (IsHapsyo(text)) return SpeechLevel::kHapsyo;
  if (IsHaeyo(text)) return SpeechLevel::kHaeyo;
  if (!marked || text.size() < 2) return std::nullopt;
  if (text.back() == U'다' || kPlainEndings.contains(text.back())) return SpeechLevel::kPlain;
  return std::nullopt;
}

}  // namespace

std::optional<SpeechLevel> SpeechLevelOf(std::string_view sentence) {
  const auto codes = CodePoints(sentence);
  std::u32string text(codes.begin(), codes.end());
  bool marked = false;
  // Marks, quotes, brackets, tildes and pictures behind the last syllable or letter.
  while (!text.empty()) {
    const char32_t last = text.back();
    const bool letter =
        Decompose(last) || (last < 0x80 && std::isalnum(static_cast<int>(last)) != 0);
    if (letter) break;
    marked = marked || IsMark(last);
    text.pop_back();
  }
  return LevelOf(text, marked);
}

std::vector<SpeechLevel> SpeechLevels(std::string_view text) {
  std::vector<SpeechLevel> levels;
  std::string sentence;
  const auto close = [&] {
    if (const auto level = SpeechLevelOf(sentence)) levels.push_back(*level);
    sentence.clear();
  };
  for (const char32_t code : CodePoints(text)) {
    if (code == '\n') {
      close();
      continue;
    }
    AppendUtf8(code, sentence);
    if (IsMark(code)) close();
  }
  close();
  return levels;
}

bool MixesLevels(const std::vector<SpeechLevel>& levels) {
  return std::ranges::adjacent_find(levels, std::not_equal_to<>()) != levels.end();
}

}  // namespace jikji::measure
