// Threads for jobs that a network thread must not do itself, in a bounded queue.
#ifndef JIKJI_BASE_WORKERS_H_
#define JIKJI_BASE_WORKERS_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace jikji {

class Workers {
 public:
  Workers(size_t threads, size_t max_waiting);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { Stop(); }

  // False where too many jobs wait, or after Stop; then the job is not run.
  bool Post(std::function<void()> job);

  // Drops the jobs that wait and returns when those that run have ended.
  void Stop();

 private:
  void Run();

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace jikji

#endif  // JIKJI_BASE_WORKERS_H_
