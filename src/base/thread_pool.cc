#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace jikji {
namespace {

// About 20 µs of pauses: longer than the gaps between the operations of a layer, shorter than a
// timer tick.
constexpr int kSpins = 2000;

// The bit of `door` that says that the job takes no more workers; the bits below count those
// inside.
constexpr uint64_t kClosed = uint64_t{1} << 32;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The chunks that a thread takes before any other's; a line of the cache each.
struct alignas(64) Share {
  std::atomic<size_t> next{0};
  size_t end = 0;
};

}  // namespace

// A job has a door: workers enter while it is open, and the caller, once no work is left, closes it
// and waits for those inside only. A worker that the system has not let run yet holds nobody up: on
// a busy machine the caller does the work alone.
struct ThreadPool::State {
  std::vector<std::thread> threads;
  std::vector<Share> shares;            // one a thread, of the job
  std::atomic<uint64_t> generation{0};  // of the job; a new value wakes the workers
  std::atomic<uint64_t> door{kClosed};
  std::atomic<bool> stop{false};
  const std::function<void(size_t thread)>* job = nullptr;  // written while nobody can enter
  std::mutex mutex;
  std::condition_variable wake;

  void Work(size_t thread) {
    uint64_t seen = 0;
    while (true) {
      WaitForJob(seen);
      seen = generation.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_relaxed)) return;
      if ((door.fetch_add(1, std::memory_order_acquire) & kClosed) == 0) (*job)(thread);
      door.fetch_sub(1, std::memory_order_release);
    }
  }

  void WaitForJob(uint64_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (generation.load(std::memory_order_acquire) != seen) return;
      Pause();
    }
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return generation.load(std::memory_order_acquire) != seen; });
  }

  void Announce() {
    {
      std::lock_guard lock(mutex);
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
  }

  void Run(const std::function<void(size_t)>& work) {
    job = &work;
    door.fetch_and(~kClosed, std::memory_order_release);
    Announce();
    work(0);
    door.fetch_or(kClosed, std::memory_order_relaxed);
    for (int spin = 0; door.load(std::memory_order_acquire) != kClosed; ++spin) {
      if (spin < kSpins) {
        Pause();
      } else {
        std::this_thread::yield();
      }
    }
  }
};

ThreadPool::ThreadPool(size_t threads)
    : size_(std::max<size_t>(threads, 1)), state_(std::make_unique<State>()) {
  state_->shares = std::vector<Share>(size_);
  for (size_t thread = 1; thread < size_; ++thread) {
    state_->threads.emplace_back([this, thread] { state_->Work(thread); });
  }
}

ThreadPool::~ThreadPool() {
  state_->stop.store(true, std::memory_order_relaxed);
  state_->Announce();
  for (auto& thread : state_->threads) thread.join();
}

void ThreadPool::ParallelFor(size_t count, size_t grain,
                             const std::function<void(size_t, size_t)>& body) {
  grain = std::max<size_t>(grain, 1);
  if (count == 0) return;
  if (size_ == 1 || count <= grain) {
    body(0, count);
    return;
  }
  const size_t chunks = (count + grain - 1) / grain;
  std::vector<Share>& shares = state_->shares;
  for (size_t i = 0; i < size_; ++i) {
    shares[i].next.store(chunks * i / size_, std::memory_order_relaxed);
    shares[i].end = chunks * (i + 1) / size_;
  }
  state_->Run([&](size_t thread) {
    for (size_t i = 0; i < size_; ++i) {
      Share& share = shares[thread + i < size_ ? thread + i : thread + i - size_];
      for (size_t chunk;
           (chunk = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
        body(chunk * grain, std::min((chunk + 1) * grain, count));
      }
    }
  });
}

size_t UsableCores() {
  size_t cores = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    cores = std::max<size_t>(1, static_cast<size_t>(CPU_COUNT(&set)));
  }
  // cgroup v2: "quota period" in microseconds, or "max period".
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (file >> quota >> period && quota != "max" && period > 0) {
    const double allowed = std::strtod(quota.c_str(), nullptr) / period;
    cores = std::min(cores, std::max<size_t>(1, static_cast<size_t>(allowed + 0.5)));
  }
  return cores;
}

}  // namespace jikji
