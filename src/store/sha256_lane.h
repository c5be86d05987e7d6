// SHA-256 of bytes that come piece by piece, of two streams side by side in one thread where both
// have bytes.
//
// A core's SHA instructions wait for each other's results within one stream; two streams fill the
// gaps. Where the CPU has none of them, two streams are hashed one after the other.
#ifndef JIKJI_STORE_SHA256_LANE_H_
#define JIKJI_STORE_SHA256_LANE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "store/digest.h"

namespace jikji {

class Sha256Lane {
 public:
  // `use_instructions`: false for a test of the other way.
  explicit Sha256Lane(bool use_instructions = HasInstructions());

  void Update(std::string_view bytes);
  // The next bytes of each; they need not be as many. As many, in the same calls, is fastest.
  static void UpdateBoth(Sha256Lane& first, std::string_view first_bytes, Sha256Lane& second,
                         std::string_view second_bytes);
  // Once.
  Digest Finish();

  static bool HasInstructions();

 private:
  static constexpr size_t kBlock = 64;

  // Completes a block that was begun, as far as `bytes` go; takes them off.
  void FillPending(std::string_view& bytes);
  // Whole blocks, then what waits for more.
  void TakeRest(std::string_view bytes);

  std::optional<Sha256Stream> plain_;  // where the instructions are not used
  uint32_t state_[8];
  uint8_t pending_[kBlock];  // less than a block
  size_t pending_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_STORE_SHA256_LANE_H_
