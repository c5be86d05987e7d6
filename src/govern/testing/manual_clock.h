// For tests: clocks that stand still until they are turned.
#ifndef JIKJI_GOVERN_TESTING_MANUAL_CLOCK_H_
#define JIKJI_GOVERN_TESTING_MANUAL_CLOCK_H_

#include <atomic>

#include "govern/clock.h"

namespace jikji {

class ManualClock : public Clock {
 public:
  int64_t WallSeconds() const override { return wall; }
  int64_t SteadyMicroseconds() const override { return steady; }
  void Advance(int64_t seconds) {
    wall += seconds;
    steady += seconds * 1'000'000;
  }

  std::atomic<int64_t> wall = 1'800'000'000;  // 2027-01-15 17:00:00 in Seoul
  std::atomic<int64_t> steady = 1'000'000'000;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_TESTING_MANUAL_CLOCK_H_
