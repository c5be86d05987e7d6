#include "measure/harness/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace jikji::measure {
namespace {

constexpr double kCoverage = 0.95;

// The mean of the tasks' values, over items drawn anew for each, or over all where `random` is
// null.
double MeanDifference(std::span<const Metric> ours, std::span<const Metric> theirs, Random* random,
                      std::vector<uint32_t>& drawn) {
  double sum = 0;
  for (size_t task = 0; task < ours.size(); ++task) {
    const Metric* other = theirs.empty() ? nullptr : &theirs[task];
    if (random == nullptr) {
      sum += ours[task].Value() - (other != nullptr ? other->Value() : 0);
      continue;
    }
    drawn.resize(ours[task].items());
    for (uint32_t& item : drawn) item = static_cast<uint32_t>(random->Below(drawn.size()));
    sum += ours[task].Value(drawn) - (other != nullptr ? other->Value(drawn) : 0);
  }
  return ours.empty() ? 0 : sum / static_cast<double>(ours.size());
}

}  // namespace

Estimate Bootstrap(std::span<const Metric> tasks, uint64_t seed) {
  return BootstrapDifference(tasks, {}, seed);
}

Estimate BootstrapDifference(std::span<const Metric> ours, std::span<const Metric> theirs,
                             uint64_t seed) {
  Random random(seed);
  std::vector<uint32_t> drawn;
  std::vector<double> values(kReplicates);
  for (double& value : values) value = MeanDifference(ours, theirs, &random, drawn);
  std::ranges::sort(values);
  const double tail = (1 - kCoverage) / 2;
  const auto at = [&](double share) {
    return values[static_cast<size_t>(std::lround(share * (kReplicates - 1)))];
  };
  return {MeanDifference(ours, theirs, nullptr, drawn), at(tail), at(1 - tail)};
}

}  // namespace jikji::measure
