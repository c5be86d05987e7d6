#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace jikji {
namespace {

TEST(ThreadPool, ManyShortJobsFollowEachOther) {
  for (const size_t threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::atomic<size_t> sum{0};
    for (size_t job = 0; job < 20000; ++job) {
      const size_t mine = job;  // a worker that came late would read another job's value
      pool.ParallelFor(4, 1, [&sum, &mine](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) sum += i * mine;
      });
    }
    EXPECT_EQ(sum.load(), 6 * (19999ull * 20000 / 2));
  }
}

TEST(ThreadPool, ParallelForCoversEachIndexOnce) {
  ThreadPool pool(3);
  for (size_t count : {0, 1, 7, 64, 1000}) {
    for (size_t grain : {0, 1, 3, 64, 2000}) {
      std::vector<std::atomic<int>> seen(count);
      pool.ParallelFor(count, grain, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) seen[i].fetch_add(1);
      });
      for (const auto& times : seen) EXPECT_EQ(times.load(), 1);
    }
  }
}

TEST(ThreadPool, WakesParkedWorkers) {
  ThreadPool pool(2);
  // The body of the first chunk waits until the other thread has taken the second.
  for (int job = 0; job < 3; ++job) {
    std::atomic<int> inside{0};
    pool.ParallelFor(2, 1, [&](size_t, size_t) {
      ++inside;
      while (inside.load() < 2) std::this_thread::yield();
    });
    EXPECT_EQ(inside.load(), 2);
    // Idle long enough that the worker parks: work on another pool.
    ThreadPool other(1);
    for (int i = 0; i < 50; ++i) other.ParallelFor(100000, 1000, [](size_t, size_t) {});
  }
}

TEST(ThreadPool, CountsAtLeastOneCore) { EXPECT_GE(UsableCores(), 1u); }

}  // namespace
}  // namespace jikji
