#include "hub/transact.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace jikji::hub {
namespace {

// Lets one in at a time, in the order they came.
class Queue {
 public:
  void Enter() {
    std::unique_lock lock(mutex_);
    const uint64_t mine = last_++;
    next_.wait(lock, [&] { return serving_ == mine; });
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    ++serving_;
    next_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable next_;
  uint64_t last_ = 0;
  uint64_t serving_ = 0;
};

class Turn {
 public:
  explicit Turn(Queue& queue) : queue_(queue) { queue_.Enter(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { queue_.Leave(); }

 private:
  Queue& queue_;
};

}  // namespace

Result<> Transact(Database& database, const std::function<Result<>()>& body) {
  static Queue queue;
  const Turn turn(queue);
  return InTransaction(database, body);
}

}  // namespace jikji::hub
