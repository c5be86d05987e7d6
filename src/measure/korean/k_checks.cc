#include "measure/korean/k_checks.h"

#include <utility>

namespace jikji::measure {

ChoiceItem ShuffledItem(std::string context, std::string right, std::vector<std::string> wrong,
                        Random& random) {
  ChoiceItem item{.context = std::move(context), .choices = {std::move(right)}, .gold = 0};
  for (std::string& choice : wrong) item.choices.push_back(std::move(choice));
  // Fisher-Yates, with an eye on the right one.
  for (size_t i = item.choices.size() - 1; i > 0; --i) {
    const size_t j = random.Below(i + 1);
    std::swap(item.choices[i], item.choices[j]);
    if (item.gold == i) {
      item.gold = j;
    } else if (item.gold == j) {
      item.gold = i;
    }
  }
  return item;
}

std::vector<ChoiceItem> MakeItems(ChoiceItem (*make)(Random&), size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<ChoiceItem> items;
  for (size_t i = 0; i < count; ++i) items.push_back(make(random));
  return items;
}

}  // namespace jikji::measure
