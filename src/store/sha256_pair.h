// SHA-256 of two things at once, side by side in one thread.
//
// A core's SHA instructions wait for each other's results within one stream; two streams fill the
// gaps. Where the CPU has none of them, this is two streams one after the other.
#ifndef JIKJI_STORE_SHA256_PAIR_H_
#define JIKJI_STORE_SHA256_PAIR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/digest.h"

namespace jikji {

class Sha256Pair {
 public:
  // `use_instructions`: false for a test of the other way.
  explicit Sha256Pair(bool use_instructions = HasInstructions());

  // The next bytes of each; they need not be as many. As many, in the same calls, is fastest.
  void Update(std::string_view first, std::string_view second);
  // Of the first and of the second. Once.
  std::array<Digest, 2> Finish();

  static bool HasInstructions();

 private:
  struct Lane {
    uint32_t state[8];
    uint8_t pending[64];  // less than a block
    size_t pending_bytes = 0;
    uint64_t total_bytes = 0;
  };
  // Blocks of both as far as both go, then of each; what is left waits.
  void Compress(std::array<std::string_view, 2> bytes);

  const bool use_instructions_;
  std::array<Lane, 2> lanes_;
  std::array<Sha256Stream, 2> plain_;  // where the instructions are not used
};

}  // namespace jikji

#endif  // JIKJI_STORE_SHA256_PAIR_H_
