// How far a figure could be off because just these items were asked: intervals by the bootstrap
// (Efron 1979).
//
// Items are drawn with replacement, as many as there are, kReplicates times; the interval holds the
// middle 95 % of the figures of those draws. Of two models on the same items, each draw takes the
// same items for both, so that what is hard for both drops out of the difference. Contract: a
// function of the values and the seed. Non-goals: uncertainty of anything but the choice of items.
#ifndef JIKJI_MEASURE_HARNESS_BOOTSTRAP_H_
#define JIKJI_MEASURE_HARNESS_BOOTSTRAP_H_

#include <cstdint>
#include <span>

#include "measure/harness/metric.h"

namespace jikji::measure {

inline constexpr int kReplicates = 1000;

struct Estimate {
  double value = 0;
  double low = 0, high = 0;  // of 95 %
};

// The mean of the metrics' values. Each task's items are drawn on their own.
Estimate Bootstrap(std::span<const Metric> tasks, uint64_t seed);

// The mean of `ours` less the mean of `theirs`, over the same items.
Estimate BootstrapDifference(std::span<const Metric> ours, std::span<const Metric> theirs,
                             uint64_t seed);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_BOOTSTRAP_H_
