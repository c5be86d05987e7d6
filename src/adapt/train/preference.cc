#include "adapt/train/preference.h"

#include <algorithm>
#include <cmath>

namespace jikji::train {

PreferenceLoss Preference::Of(std::span<const size_t> numbers,
                              std::span<const double> losses) const {
  PreferenceLoss out;
  for (size_t i = 0; i + 1 < numbers.size(); i += 2) {
    const double better = reference[numbers[i]] - losses[i];
    const double worse = reference[numbers[i + 1]] - losses[i + 1];
    const double x = beta * (better - worse);
    // log(1 + e^−x), without overflow.
    out.sum += std::max(-x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    const double slope = beta / (1.0 + std::exp(x));  // β · σ(−x)
    out.factors.push_back(slope);
    out.factors.push_back(-slope);
  }
  return out;
}

}  // namespace jikji::train
