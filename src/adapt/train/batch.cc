#include "adapt/train/batch.h"

#include <algorithm>

namespace jikji::train {

int64_t Batch::target_count() const {
  return std::ranges::count_if(targets, [](int32_t target) { return target != kNoTarget; });
}

void Batch::Append(const Document& document, size_t number) {
  const auto count = static_cast<int32_t>(document.tokens.size()) - 1;
  if (count <= 0) return;
  numbers.push_back(number);
  documents.push_back({static_cast<int32_t>(tokens.size()), count});
  for (int32_t i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(i);
    tokens.push_back(document.tokens[at]);
    targets.push_back(document.trained[at + 1] ? document.tokens[at + 1] : kNoTarget);
    positions.push_back(i);
  }
}

}  // namespace jikji::train
