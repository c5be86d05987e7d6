#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace jikji {
namespace {

TEST(ThreadPool, RunsEachThreadOnceForEveryJob) {
  for (size_t threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<int> calls(threads, 0);
    for (int job = 0; job < 2000; ++job) pool.Run([&](size_t thread) { ++calls[thread]; });
    EXPECT_EQ(calls, std::vector<int>(threads, 2000));
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
  std::atomic<int> sum{0};
  pool.Run([&](size_t) { ++sum; });
  // Long enough idle spinning elsewhere that workers park: 50 jobs on another pool.
  ThreadPool other(1);
  for (int i = 0; i < 50; ++i) other.ParallelFor(100000, 1000, [](size_t, size_t) {});
  pool.Run([&](size_t) { ++sum; });
  EXPECT_EQ(sum.load(), 4);
}

TEST(ThreadPool, CountsAtLeastOneCore) { EXPECT_GE(UsableCores(), 1u); }

}  // namespace
}  // namespace jikji
