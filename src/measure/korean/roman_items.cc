#include <fmt/format.h>

#include <set>

#include "measure/korean/k_checks.h"
#include "measure/korean/romanise.h"

namespace jikji::measure {
namespace {

// Places and things whose sounds change where syllables meet, and some where they do not.
constexpr const char* kWords[] = {
    "종로",   "신라",   "백마",   "왕십리", "독립문", "대관령", "울릉",     "별내",   "압구정",
    "낙동강", "속리산", "설악산", "한라산", "강릉",   "전라도", "충청남도", "경복궁", "덕수궁",
    "동대문", "남대문", "석굴암", "불국사", "해돋이", "묵호",   "집현전",   "촉석루", "광안리",
    "부산",   "대구",   "인천",   "광주",   "대전",   "수원",   "제주",     "거제",   "여수",
    "목포",   "포항",   "안동",   "춘천",   "월곶",   "벚꽃",   "한글",     "김치",   "비빔밥",
    "떡국",   "막걸리", "태권도", "국립",   "음력",   "법률",   "학문",     "입문",   "꽃잔디",
    "칼날",   "물난리", "닭",     "값",     "여덟",   "삶"};

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

}  // namespace

ChoiceItem RomanItem(Random& random) {
  const std::string word = Pick(kWords, random);
  const std::string right = Romanise(word);
  // Without the sound changes, and with slips that other systems suggest.
  std::set<std::string> wrong = {RomaniseByLetter(word)};
  for (const auto& [from, to] : {std::pair{"eo", "o"},
                                 {"eu", "u"},
                                 {"g", "k"},
                                 {"d", "t"},
                                 {"b", "p"},
                                 {"j", "ch"},
                                 {"r", "l"},
                                 {"ng", "n"},
                                 {"a", "ah"},
                                 {"u", "oo"},
                                 {"i", "ee"},
                                 {"o", "oh"}}) {
    wrong.insert(Replaced(right, from, to));
  }
  wrong.erase(right);
  std::vector<std::string> choices(wrong.begin(), wrong.end());
  const std::string by_letter = RomaniseByLetter(word);
  while (choices.size() > 3) {
    const size_t drop = random.Below(choices.size());
    if (choices[drop] != by_letter) choices.erase(choices.begin() + static_cast<ptrdiff_t>(drop));
  }
  return ShuffledItem(fmt::format("{}의 로마자 표기는", word), right, std::move(choices), random);
}

}  // namespace jikji::measure
