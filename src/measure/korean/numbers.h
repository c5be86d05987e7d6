// Numbers in Korean: groups of four digits with 만, 억 and 조.
//
// Two forms: digits with units ("3억 2500만"), and words ("삼억 이천오백만"). Non-goals: native
// Korean numerals (하나, 둘), fractions, 경 and above.
#ifndef JIKJI_MEASURE_KOREAN_NUMBERS_H_
#define JIKJI_MEASURE_KOREAN_NUMBERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jikji::measure {

inline constexpr uint64_t kMostKoreanNumber = 9999'9999'9999'9999ull;

// "3억 2500만"; "0" for 0. `number` is at most kMostKoreanNumber, here and below.
std::string NumberWithUnits(uint64_t number);

// "삼억 이천오백만"; "영" for 0. 일 is not said before 십, 백, 천, nor before 만 at the head.
std::string NumberInWords(uint64_t number);

// Either form, also mixed ("3억 2천5백만"), with or without spaces, and with commas in thousands;
// units must descend. nullopt for anything else.
std::optional<uint64_t> ParseKoreanNumber(std::string_view text);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_NUMBERS_H_
