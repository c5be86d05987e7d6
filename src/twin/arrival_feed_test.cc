#include "twin/arrival_feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace jikji::twin {
namespace {

std::unique_ptr<Workload> Requests(double seconds, uint64_t seed) {
  const Lengths lengths = TypicalLengths();
  return Synthetic({.requests_per_second = 100,
                    .seconds = seconds,
                    .prompts = lengths.prompts,
                    .outputs = lengths.outputs,
                    .seed = seed});
}

bool Same(const Arrival& a, const Arrival& b) {
  return a.time == b.time && a.prompt == b.prompt && a.output == b.output &&
         a.service == b.service && std::ranges::equal(a.prefix, b.prefix);
}

TEST(ArrivalFeed, GivesTheStreamOfItsWorkload) {
  // Some batches and a part of one, none at all, and one arrival's worth of time.
  for (const double seconds : {97.3, 0.0, 0.01}) {
    const auto made = Requests(seconds, 3);
    const auto fed = Requests(seconds, 3);
    ArrivalFeed feed(*fed);
    Arrival arrival;
    size_t count = 0;
    while (made->Next(arrival)) {
      const Arrival* next = feed.Front();
      ASSERT_NE(next, nullptr) << count;
      ASSERT_TRUE(Same(arrival, *next)) << count;
      feed.Pop();
      ++count;
    }
    EXPECT_EQ(feed.Front(), nullptr);
    EXPECT_EQ(feed.Front(), nullptr) << "the end stays the end";
    EXPECT_GE(count, seconds > 1 ? 3000u : 0u);
  }
}

TEST(ArrivalFeed, TellsWhatComes) {
  const auto workload = Requests(60, 5);
  ArrivalFeed feed(*workload);
  std::vector<double> told;
  size_t known = 0;
  for (size_t i = 0; const Arrival* next = feed.Front(); ++i) {
    if (i < told.size() && told[i] >= 0) {
      EXPECT_EQ(next->time, told[i]);
    }
    feed.Pop();
    const Arrival* later = feed.Peek(4);
    told.resize(i + 6, -1);
    if (later != nullptr) {
      told[i + 5] = later->time;
      ++known;
    }
  }
  EXPECT_GT(known, told.size() * 9 / 10);
}

TEST(ArrivalFeed, MayBeLeftBeforeItsEnd) {
  const auto workload = Requests(1e6, 7);
  ArrivalFeed feed(*workload);
  ASSERT_NE(feed.Front(), nullptr);
}

}  // namespace
}  // namespace jikji::twin
