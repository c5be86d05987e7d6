// The two clocks of governance, so that tests can turn them: the wall clock says which window a
// cost belongs to and may step back; the steady clock refills rates and never does.
#ifndef JIKJI_GOVERN_CLOCK_H_
#define JIKJI_GOVERN_CLOCK_H_

#include <cstdint>

namespace jikji {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t WallSeconds() const = 0;         // UTC, since 1970
  virtual int64_t SteadyMicroseconds() const = 0;  // since some moment
};

// The machine's own.
const Clock& SystemClock();

}  // namespace jikji

#endif  // JIKJI_GOVERN_CLOCK_H_
