// How many rounds a long property test runs: all of them, or a share where each costs many times as
// much (sanitizers).
#ifndef JIKJI_BASE_TEST_ROUNDS_H_
#define JIKJI_BASE_TEST_ROUNDS_H_

#include <algorithm>
#include <cstdlib>

namespace jikji {

// `full`, divided by JIKJI_TEST_DIVISOR where that is set; at least 1.
inline int TestRounds(int full) {
  const char* divisor = std::getenv("JIKJI_TEST_DIVISOR");
  return std::max(1, full / std::max(1, divisor == nullptr ? 1 : std::atoi(divisor)));
}

}  // namespace jikji

#endif  // JIKJI_BASE_TEST_ROUNDS_H_
