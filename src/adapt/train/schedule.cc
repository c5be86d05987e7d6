#include "adapt/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jikji::train {

double Schedule::At(int64_t step) const {
  if (step <= warmup) return peak * static_cast<double>(step) / static_cast<double>(warmup);
  const double share = static_cast<double>(step - warmup) /
                       static_cast<double>(std::max<int64_t>(1, steps - warmup));
  return floor + (peak - floor) * 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(1.0, share)));
}

}  // namespace jikji::train
