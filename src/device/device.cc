#include "device/device.h"

#include <utility>

namespace jikji::device {

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(of_host_, other.of_host_);
  return *this;
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  if (of_host_) {
    device_->FreeHost(data_);
  } else {
    device_->Free(data_);
  }
}

Result<> Device::AllGather(const std::byte* /*from*/, std::byte* /*to*/, uint64_t /*bytes*/) {
  return Fail(ErrorCode::kInternal, "this device was joined with no other");
}

}  // namespace jikji::device
