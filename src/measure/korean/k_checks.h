// K-checks: items that try a rule of Korean, made by the rule itself from a seed.
//
// Each item offers the right form beside wrong ones that differ in the point alone, so that what
// decides is the rule and not the words. Contract: the same seed gives the same items, the first n
// of more items are the n items asked for; choices of an item differ; the right one's place is
// random. Non-goals: difficulty, knowledge of the world.
#ifndef JIKJI_MEASURE_KOREAN_K_CHECKS_H_
#define JIKJI_MEASURE_KOREAN_K_CHECKS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "measure/harness/items.h"

namespace jikji::measure {

// One item each.
ChoiceItem ParticleItem(Random& random);  // 사과를 / 사과을
ChoiceItem NumberItem(Random& random);    // 325000 / 32만 5000, both ways
ChoiceItem DateItem(Random& random);      // 2026-03-05 / 2026년 3월 5일, and the day after
ChoiceItem SpacingItem(Random& random);  // 할 수 있다 / 할수 있다, 학교에서 / 학교 에서
ChoiceItem RomanItem(Random& random);      // 종로 / jongno
ExactItem NumberToDigits(Random& random);  // 삼만 이천 → 32000, after three examples

std::vector<ChoiceItem> MakeItems(ChoiceItem (*make)(Random&), size_t count, uint64_t seed);

// For the makers: the right choice among the wrong ones, in random order.
ChoiceItem ShuffledItem(std::string context, std::string right, std::vector<std::string> wrong,
                        Random& random);

template <class T, size_t n>
const T& Pick(const T (&list)[n], Random& random) {
  return list[random.Below(n)];
}

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_K_CHECKS_H_
