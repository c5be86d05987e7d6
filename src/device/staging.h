// Two pieces of the host's memory that take turns on their way to a device: while it copies from
// one, the host fills the other.
#ifndef JIKJI_DEVICE_STAGING_H_
#define JIKJI_DEVICE_STAGING_H_

#include <array>
#include <cstdint>

#include "device/device.h"

namespace jikji::device {

class Staging {
 public:
  // Pieces of so many bytes each. Marks 2 and 3 of the device are this one's.
  static Result<Staging> Create(Device& device, uint64_t bytes) {
    Staging staging;
    staging.device_ = &device;
    for (Buffer& piece : staging.pieces_) {
      JIKJI_ASSIGN(piece, device.AllocateHost(bytes));
    }
    return staging;
  }

  Staging(Staging&&) noexcept = default;
  Staging& operator=(Staging&&) noexcept = default;
  // What the device reads must stay until it has.
  ~Staging() {
    for (size_t i = 0; i < pieces_.size() && pieces_[i].data() != nullptr; ++i) {
      (void)device_->Wait(kFirstMark + i);
    }
  }

  uint64_t bytes() const { return pieces_[0].bytes(); }

  // The piece whose turn it is, to be filled: comes back when the device reads it no more.
  Result<std::byte*> Next() {
    JIKJI_RETURN_IF_ERROR(device_->Wait(kFirstMark + turn_));
    return pieces_[turn_].data();
  }

  // All copies from Next's piece are under way.
  Result<> Sent() {
    JIKJI_RETURN_IF_ERROR(device_->Mark(kFirstMark + turn_));
    turn_ = 1 - turn_;
    return {};
  }

 private:
  Staging() = default;

  static constexpr size_t kFirstMark = 2;

  Device* device_ = nullptr;
  std::array<Buffer, 2> pieces_;
  size_t turn_ = 0;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_STAGING_H_
