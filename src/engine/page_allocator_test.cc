#include "engine/page_allocator.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace jikji {
namespace {

TEST(PageAllocatorTest, GivesAllOrNothing) {
  PageAllocator allocator(4);
  auto three = allocator.Take(3);
  ASSERT_TRUE(three.has_value());
  EXPECT_EQ(three->pages().size(), 3u);
  EXPECT_FALSE(allocator.Take(2).has_value());
  EXPECT_EQ(allocator.free(), 1);
  EXPECT_FALSE(allocator.Take(-1).has_value());
  EXPECT_TRUE(allocator.Take(0).has_value());
  three->Release();
  three->Release();
  EXPECT_EQ(allocator.free(), 4);
}

TEST(PageAllocatorTest, MovedLeaseGivesBackOnce) {
  PageAllocator allocator(4);
  {
    PageLease held = *allocator.Take(2);
    PageLease moved = std::move(held);
    EXPECT_EQ(allocator.used(), 2);
    moved = *allocator.Take(1);
    EXPECT_EQ(allocator.used(), 1);
  }
  EXPECT_EQ(allocator.used(), 0);
}

TEST(PageAllocatorTest, NoPageIsHeldTwice) {
  std::mt19937 random(7);
  PageAllocator allocator(50);
  std::vector<PageLease> leases;
  for (int round = 0; round < 5000; ++round) {
    if (!leases.empty() && random() % 2 == 0) {
      std::swap(leases[random() % leases.size()], leases.back());
      leases.pop_back();
    } else if (auto lease = allocator.Take(static_cast<int32_t>(random() % 9))) {
      leases.push_back(std::move(*lease));
    }
    std::set<int32_t> held;
    size_t count = 0;
    for (const PageLease& lease : leases) {
      held.insert(lease.pages().begin(), lease.pages().end());
      count += lease.pages().size();
    }
    ASSERT_EQ(held.size(), count);
    ASSERT_EQ(allocator.used(), static_cast<int32_t>(count));
    if (!held.empty()) {
      ASSERT_GE(*held.begin(), 0);
      ASSERT_LT(*held.rbegin(), 50);
    }
  }
  leases.clear();
  EXPECT_EQ(allocator.free(), 50);
}

TEST(PageAllocatorTest, PagesForRoundsUp) {
  EXPECT_EQ(PagesFor(0, 16), 0);
  EXPECT_EQ(PagesFor(1, 16), 1);
  EXPECT_EQ(PagesFor(16, 16), 1);
  EXPECT_EQ(PagesFor(17, 16), 2);
}

}  // namespace
}  // namespace jikji
