// One piece of a device's memory, handed out in parts: what is to be placed is summed first, so
// that a plan and what is taken are the same bytes.
#ifndef JIKJI_DEVICE_ARENA_H_
#define JIKJI_DEVICE_ARENA_H_

#include <cstdint>
#include <utility>

#include "device/device.h"

namespace jikji::device {

class Arena {
 public:
  static constexpr uint64_t kAlignment = 256;

  // What Take uses up for so many bytes.
  static constexpr uint64_t Rounded(uint64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  static Result<Arena> Create(Device& device, uint64_t bytes) {
    Arena arena;
    JIKJI_ASSIGN(arena.buffer_, device.Allocate(bytes));
    return arena;
  }

  // kInternal where more is taken than was summed.
  Result<std::byte*> Take(uint64_t bytes) {
    if (Rounded(bytes) > buffer_.bytes() - used_) {
      return Fail(ErrorCode::kInternal, "more of the device's memory is used than was planned");
    }
    return buffer_.data() + std::exchange(used_, used_ + Rounded(bytes));
  }

 private:
  Buffer buffer_;
  uint64_t used_ = 0;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_ARENA_H_
