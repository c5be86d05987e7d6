// Random numbers that are the same for the same seed on every machine and compiler.
//
// SplitMix64: one multiply-mix a number, and any seed is a good one. <random>'s distributions are
// left out since their results differ between libraries.
#ifndef JIKJI_TWIN_RANDOM_H_
#define JIKJI_TWIN_RANDOM_H_

#include <cmath>
#include <cstdint>

#include "fleet/prefix.h"

namespace jikji::twin {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(fleet::Mix(seed)) {}

  uint64_t Next() { return fleet::Mix(state_++); }
  // [0, 1)
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  uint64_t Below(uint64_t count) { return fleet::Below(Next(), count); }
  // Exponential with this mean.
  double Exponential(double mean) { return -mean * std::log1p(-Uniform()); }

 private:
  uint64_t state_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_RANDOM_H_
