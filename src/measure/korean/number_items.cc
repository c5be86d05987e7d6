#include <fmt/format.h>

#include <set>

#include "measure/korean/k_checks.h"
#include "measure/korean/numbers.h"

namespace jikji::measure {
namespace {

// Up to four leading digits, as numbers in texts have them, in groups up to 억.
uint64_t RoundNumber(Random& random) {
  uint64_t number = 1 + random.Below(9999);
  for (uint64_t zeros = 1 + random.Below(6); zeros > 0; --zeros) number *= 10;
  return number;
}

// Wrong by what people get wrong: a place too many or too few, a digit off, digits swapped.
std::vector<uint64_t> NearNumbers(uint64_t number, Random& random) {
  std::set<uint64_t> near = {number * 10, number / 10, number * 10000};
  uint64_t place = 1;
  while (number / place % 10 == 0) place *= 10;
  near.insert(number % (place * 10) == 9 * place ? number - place : number + place);
  near.erase(number);
  near.erase(0);
  std::vector<uint64_t> list(near.begin(), near.end());
  while (list.size() > 3) {
    list.erase(list.begin() + static_cast<ptrdiff_t>(random.Below(list.size())));
  }
  return list;
}

}  // namespace

ChoiceItem NumberItem(Random& random) {
  const uint64_t number = RoundNumber(random);
  const bool to_digits = random.Below(2) == 0;
  const auto write = [&](uint64_t value) {
    return to_digits ? std::to_string(value) : NumberWithUnits(value);
  };
  std::vector<std::string> wrong;
  for (const uint64_t near : NearNumbers(number, random)) wrong.push_back(write(near));
  std::string context =
      to_digits ? fmt::format("{}을 숫자로만 쓰면", random.Below(2) == 0 ? NumberWithUnits(number)
                                                                         : NumberInWords(number))
                : fmt::format("{}을 만, 억 단위로 쓰면", number);
  return ShuffledItem(std::move(context), write(number), std::move(wrong), random);
}

ExactItem NumberToDigits(Random& random) {
  ExactItem item;
  for (int i = 0; i < 4; ++i) {
    const uint64_t number = RoundNumber(random);
    item.context += fmt::format("수: {}\n숫자:", NumberInWords(number));
    item.answer = std::to_string(number);
    if (i < 3) item.context += " " + item.answer + "\n\n";
  }
  return item;
}

}  // namespace jikji::measure
