// What an answer in Korean must not get wrong: the numbers, and the institutions and programmes it
// names.
//
// Found by rule: digits (with points, commas and hyphens between them), addresses of the web, and
// words up to an ending that institutions and programmes have (공단, 센터, 사업, 장학금 ...), which
// are more than that ending. Non-goals: names of other kinds, numbers in words.
#ifndef JIKJI_MEASURE_KOREAN_NAMED_H_
#define JIKJI_MEASURE_KOREAN_NAMED_H_

#include <string>
#include <string_view>
#include <vector>

namespace jikji::measure {

// In order, each once.
std::vector<std::string> NamedIn(std::string_view text);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_NAMED_H_
