#include "govern/clock.h"

#include <chrono>

namespace jikji {
namespace {

class RealClock : public Clock {
 public:
  int64_t WallSeconds() const override {
    return Count<std::chrono::seconds>(std::chrono::system_clock::now());
  }
  int64_t SteadyMicroseconds() const override {
    return Count<std::chrono::microseconds>(std::chrono::steady_clock::now());
  }

 private:
  template <class Unit, class Time>
  static int64_t Count(Time time) {
    return std::chrono::duration_cast<Unit>(time.time_since_epoch()).count();
  }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

}  // namespace jikji
