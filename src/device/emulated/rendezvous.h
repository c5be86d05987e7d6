// Where the threads of emulated devices meet that were joined.
#ifndef JIKJI_DEVICE_EMULATED_RENDEZVOUS_H_
#define JIKJI_DEVICE_EMULATED_RENDEZVOUS_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/error.h"

namespace jikji::device {

class Rendezvous {
 public:
  explicit Rendezvous(size_t ranks) : from_(ranks) {}

  // Comes back when all have copied everything: what is at `from` may change then. kUnavailable
  // once one has left; kInternal, for all, where they do not bring the same number of bytes.
  Result<> Gather(size_t rank, const std::byte* from, std::byte* to, uint64_t bytes);

  // From any thread: nobody waits, now or later.
  void Leave();

 private:
  // Waits for all to come here.
  Result<> Meet(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable wake_;
  // Under the mutex:
  std::vector<const std::byte*> from_;  // by rank
  uint64_t bytes_ = 0;                  // of each, as the first to come says
  size_t arrived_ = 0;
  uint64_t meetings_ = 0;
  bool left_ = false;
  bool unequal_ = false;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_EMULATED_RENDEZVOUS_H_
