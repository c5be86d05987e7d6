#include "measure/harness/few_shot.h"

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace jikji::measure {

std::string FewShotText(std::span<const ChoiceItem> pool, const ChoiceItem& item, size_t number,
                        size_t shots, uint64_t seed) {
  if (shots == 0) return {};
  // Far apart states for neighbouring items and seeds.
  Random random(Random(seed).Next() ^ Random(number).Next());
  // One more than is needed, should one be the item itself.
  std::vector<size_t> drawn;
  while (drawn.size() < std::min(shots + 1, pool.size())) {
    const size_t next = random.Below(pool.size());
    if (std::ranges::find(drawn, next) == drawn.end()) drawn.push_back(next);
  }
  std::string text;
  size_t taken = 0;
  for (const size_t example : drawn) {
    if (taken == shots) break;
    if (pool[example] == item) continue;
    text += pool[example].context + kTargetDelimiter + pool[example].choices[pool[example].gold];
    text += "\n\n";
    ++taken;
  }
  return text;
}

}  // namespace jikji::measure
