#include "engine/fair_share.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace jikji {
namespace {

TEST(FairShareTest, OneTenantIsServedInTheOrderOfArrival) {
  FairShare share;
  int64_t last = -1;
  for (int i = 0; i < 100; ++i) {
    const int64_t tag = share.Arrive("a", 1 + i % 7);
    EXPECT_GT(tag, last);
    last = tag;
  }
}

TEST(FairShareTest, ALightTenantStandsBeforeAHeavyOnesQueue) {
  FairShare share;
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(share.Arrive("heavy", 10), 10 * i);
  EXPECT_EQ(share.Arrive("light", 10), 0);
  EXPECT_EQ(share.Arrive("light", 10), 10);
  // The first of the heavy one's have been served: who comes now has no claim on that time.
  for (int64_t i = 0; i < 500; ++i) share.Leave("heavy", 10 * i, 10, 10);
  share.Leave("light", 0, 10, 10);
  share.Leave("light", 10, 10, 10);
  EXPECT_EQ(share.Arrive("light", 10), 5000);
}

TEST(FairShareTest, WhatWasExpectedWrongIsPutRight) {
  FairShare share;
  EXPECT_EQ(share.Arrive("other", 1), 0);  // holds the clock at 0
  EXPECT_EQ(share.Arrive("a", 10), 0);
  share.Leave("a", 0, 10, 110);
  EXPECT_EQ(share.Arrive("a", 10), 110);
  share.Leave("a", 110, 10, 3);
  EXPECT_EQ(share.Arrive("a", 10), 113);
}

TEST(FairShareTest, AnEmptySystemForgets) {
  FairShare share;
  share.Leave("a", share.Arrive("a", 1000), 1000, 1000);
  EXPECT_EQ(share.Arrive("b", 1), 0);
  EXPECT_EQ(share.Arrive("a", 1), 0);
}

// Both always have work; each server takes the least tag: both are served alike, however unlike
// their requests are.
TEST(FairShareTest, BackloggedTenantsAreServedAlike) {
  std::mt19937 random(5);
  FairShare share;
  struct Waiting {
    int64_t tag, cost;
  };
  std::deque<Waiting> queues[2];
  const char* names[2] = {"small", "large"};
  int64_t served[2] = {0, 0};
  for (int round = 0; round < 20'000; ++round) {
    for (int t = 0; t < 2; ++t) {
      while (queues[t].size() < 20) {
        const int64_t cost = t == 0 ? 1 + static_cast<int64_t>(random() % 10)
                                    : 1 + static_cast<int64_t>(random() % 200);
        queues[t].push_back({share.Arrive(names[t], cost), cost});
      }
    }
    const int next = queues[0].front().tag <= queues[1].front().tag ? 0 : 1;
    const Waiting done = queues[next].front();
    queues[next].pop_front();
    served[next] += done.cost;
    share.Leave(names[next], done.tag, done.cost, done.cost);
  }
  EXPECT_LE(std::abs(served[0] - served[1]), 200);
}

}  // namespace
}  // namespace jikji
