#include "device/emulated/rendezvous.h"

#include <cstring>

namespace jikji::device {

Result<> Rendezvous::Gather(size_t rank, const std::byte* from, std::byte* to, uint64_t bytes) {
  std::unique_lock lock(mutex_);
  if (arrived_ == 0) bytes_ = bytes;
  if (bytes != bytes_) unequal_ = left_ = true;
  from_[rank] = from;
  JIKJI_RETURN_IF_ERROR(Meet(lock));
  lock.unlock();
  // Between the two meetings nobody writes to these.
  for (size_t other = 0; other < from_.size(); ++other) {
    std::memcpy(to + other * bytes, from_[other], bytes);
  }
  lock.lock();
  return Meet(lock);
}

void Rendezvous::Leave() {
  const std::scoped_lock lock(mutex_);
  left_ = true;
  wake_.notify_all();
}

Result<> Rendezvous::Meet(std::unique_lock<std::mutex>& lock) {
  const uint64_t meeting = meetings_;
  if (left_) {
    wake_.notify_all();
  } else if (++arrived_ == from_.size()) {
    arrived_ = 0;
    ++meetings_;
    wake_.notify_all();
  } else {
    wake_.wait(lock, [&] { return left_ || meetings_ != meeting; });
  }
  // All that have met go on, whoever leaves then.
  if (meetings_ != meeting) return {};
  if (unequal_) {
    return Fail(ErrorCode::kInternal, "devices that are joined gather different numbers of bytes");
  }
  return Fail(ErrorCode::kUnavailable, "a device that this one computes with is lost");
}

}  // namespace jikji::device
