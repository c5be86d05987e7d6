// Revised Romanisation of Korean (notice 2000-8 of the Ministry of Culture and Tourism), for nouns.
//
// Written as spoken: finals as one of seven sounds, a final before a vowel carried over, 백마 as
// baengma, 종로 as jongno, 신라 as silla, 같이 as gachi; ㅎ after ㄱ, ㄷ, ㅂ in a noun is kept
// (묵호 mukho); tense sounds are not shown. Non-goals: names of persons, sounds that only a
// dictionary knows (the ㄴ of 학여울 and of 신문로), hyphens, capitals.
#ifndef JIKJI_MEASURE_KOREAN_ROMANISE_H_
#define JIKJI_MEASURE_KOREAN_ROMANISE_H_

#include <string>
#include <string_view>

namespace jikji::measure {

// What is not a Hangul syllable stays as it is.
std::string Romanise(std::string_view text);

// Letter by letter, as a reader unaware of sound changes would write it: 종로 as jongro.
std::string RomaniseByLetter(std::string_view text);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_ROMANISE_H_
