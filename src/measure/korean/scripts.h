// Which scripts an answer to a Korean question is written in: whether the model has slipped into
// another language.
//
// Confused is an answer with a Han character outside of brackets (漢字 in brackets is how Korean
// explains a word), with a letter of a script that neither Korean nor the sciences use (kana,
// Cyrillic, Thai, Arabic …), or with fewer Hangul letters than Latin ones. Non-goals: telling
// languages of one script apart.
#ifndef JIKJI_MEASURE_KOREAN_SCRIPTS_H_
#define JIKJI_MEASURE_KOREAN_SCRIPTS_H_

#include <cstdint>
#include <string_view>

namespace jikji::measure {

enum class Script { kNone, kHangul, kHan, kLatin, kGreek, kOther };  // kNone: not a letter

Script ScriptOf(char32_t code);

struct ScriptUse {
  int64_t hangul = 0, latin = 0;
  int64_t han = 0;    // outside of brackets
  int64_t other = 0;  // letters of scripts that have no place in Korean

  bool confused() const { return han > 0 || other > 0 || hangul < latin; }
};

ScriptUse CountScripts(std::string_view text);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_SCRIPTS_H_
