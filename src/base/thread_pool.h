// A pool of threads that work on one job at a time together: the kernels' way to use every core.
//
// Between jobs of one forward pass a worker spins for some microseconds, since the next job comes
// at once; then it parks, so that an idle server costs nothing. The caller works too: a pool of one
// thread makes no thread and costs a call. Contract: Run is called by one thread at a time.
// Non-goals: task queues, nesting.
#ifndef JIKJI_BASE_THREAD_POOL_H_
#define JIKJI_BASE_THREAD_POOL_H_

#include <cstddef>
#include <functional>
#include <memory>

namespace jikji {

class ThreadPool {
 public:
  // `threads` ≥ 1, the caller included.
  explicit ThreadPool(size_t threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  size_t size() const { return size_; }

  // Splits [0, count) into chunks of at most `grain` items and calls body(begin, end) on each.
  // Threads have parts of their own (what they wrote is in their caches), then take from others' in
  // turn. Which thread takes which chunk varies; a body must not let its results depend on it.
  void ParallelFor(size_t count, size_t grain,
                   const std::function<void(size_t begin, size_t end)>& body);

 private:
  struct State;
  size_t size_;
  std::unique_ptr<State> state_;
};

// Physical cores this process may use: respects affinity and cgroup quotas, at least 1.
size_t UsableCores();

}  // namespace jikji

#endif  // JIKJI_BASE_THREAD_POOL_H_
