// Counts what is under way and lets somebody wait until it is over: enter, leave, close, wait.
//
// Once closed nothing enters, so the count only falls. Thread-safe. Internal to net/.
#ifndef JIKJI_NET_GATE_H_
#define JIKJI_NET_GATE_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace jikji::net {

class Gate {
 public:
  // False once closed; otherwise Leave must follow.
  bool Enter() {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    ++inside_;
    return true;
  }

  void Leave() {
    std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }

  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }

  // True if nothing is inside before the deadline.
  bool WaitEmpty(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return empty_.wait_until(lock, deadline, [this] { return inside_ == 0; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  size_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_GATE_H_
