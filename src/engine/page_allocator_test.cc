#include "engine/page_allocator.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace jikji {
namespace {

using Tokens = std::vector<TokenId>;
constexpr int32_t kPageTokens = 4;

PageLease Take(PageAllocator& allocator, int32_t count) {
  PageLease lease;
  EXPECT_TRUE(allocator.Extend(lease, count));
  return lease;
}

Tokens Counting(TokenId first, size_t count) {
  Tokens tokens;
  while (tokens.size() < count) tokens.push_back(first++);
  return tokens;
}

TEST(PageAllocatorTest, GivesAllOrNothing) {
  PageAllocator allocator(4, kPageTokens);
  PageLease three = Take(allocator, 3);
  EXPECT_EQ(three.size(), 3);
  PageLease other;
  EXPECT_FALSE(allocator.Extend(other, 2));
  EXPECT_FALSE(allocator.Extend(three, 2));
  EXPECT_EQ(allocator.free(), 1);
  EXPECT_FALSE(allocator.Extend(other, -1));
  EXPECT_TRUE(allocator.Extend(other, 0));
  EXPECT_TRUE(allocator.Extend(three, 1));
  EXPECT_EQ(three.size(), 4);
  three.Release();
  three.Release();
  EXPECT_EQ(allocator.free(), 4);
}

TEST(PageAllocatorTest, MovedLeaseGivesBackOnce) {
  PageAllocator allocator(4, kPageTokens);
  {
    PageLease held = Take(allocator, 2);
    PageLease moved = std::move(held);
    EXPECT_EQ(allocator.used(), 2);
    moved = Take(allocator, 1);
    EXPECT_EQ(allocator.used(), 1);
  }
  EXPECT_EQ(allocator.used(), 0);
}

TEST(PageAllocatorTest, FullPagesAreSharedWhileHeldAndAfter) {
  PageAllocator allocator(8, kPageTokens);
  const Tokens tokens = Counting(10, 11);  // two pages and a part
  PageLease first = Take(allocator, 3);
  allocator.Share(first, "t", tokens, 0);
  PageLease second = allocator.Match("t", tokens);
  ASSERT_EQ(second.size(), 2);
  EXPECT_EQ(second.pages()[0], first.pages()[0]);
  EXPECT_EQ(second.pages()[1], first.pages()[1]);
  EXPECT_EQ(allocator.used(), 3);
  EXPECT_EQ(allocator.HeldAlone(first), 1);
  EXPECT_EQ(allocator.HeldAlone(second), 0);
  EXPECT_EQ(allocator.Match("other", tokens).size(), 0);
  EXPECT_EQ(allocator.Match("t", std::span(tokens).first(7)).size(), 1);
  const std::vector<int32_t> pages(second.pages().begin(), second.pages().end());
  first.Release();
  EXPECT_EQ(allocator.used(), 2);
  second.Release();
  EXPECT_EQ(allocator.free(), 8);
  const PageLease again = allocator.Match("t", tokens);
  EXPECT_EQ(std::vector<int32_t>(again.pages().begin(), again.pages().end()), pages);
  EXPECT_EQ(allocator.used(), 2);
}

TEST(PageAllocatorTest, TheLongestUnusedGoesFirstAndEndsBeforeBeginnings) {
  PageAllocator allocator(6, kPageTokens);
  const Tokens old = Counting(100, 8), young = Counting(200, 8);
  for (const Tokens* tokens : {&old, &young}) {
    PageLease lease = Take(allocator, 2);
    allocator.Share(lease, "t", *tokens, 0);
  }
  PageLease lease = Take(allocator, 2);  // those without content
  EXPECT_EQ(allocator.Match("t", old).size(), 2);
  EXPECT_EQ(allocator.Match("t", young).size(), 2);
  ASSERT_TRUE(allocator.Extend(lease, 1));
  EXPECT_EQ(allocator.Match("t", old).size(), 1);  // its end is gone; and it is the younger now
  EXPECT_EQ(allocator.Match("t", young).size(), 2);
  EXPECT_EQ(allocator.Match("t", old).size(), 1);
  ASSERT_TRUE(allocator.Extend(lease, 2));
  EXPECT_EQ(allocator.Match("t", young).size(), 0);
  EXPECT_EQ(allocator.Match("t", old).size(), 1);
}

TEST(PageAllocatorTest, OfTwoPagesAlikeOneStays) {
  PageAllocator allocator(8, kPageTokens);
  const Tokens tokens = Counting(10, 8);
  PageLease first = Take(allocator, 2), second = Take(allocator, 2);
  allocator.Share(first, "t", tokens, 0);
  allocator.Share(second, "t", tokens, 0);  // its own are being written
  EXPECT_EQ(allocator.used(), 4);
  allocator.Share(second, "t", tokens, 4);
  EXPECT_EQ(allocator.used(), 3);
  EXPECT_EQ(second.pages()[0], first.pages()[0]);
  EXPECT_NE(second.pages()[1], first.pages()[1]);
  allocator.Share(second, "t", tokens, 8);
  EXPECT_EQ(allocator.used(), 2);
  first.Release();
  EXPECT_EQ(allocator.used(), 2);
}

TEST(PageAllocatorTest, ForgetsEverything) {
  PageAllocator allocator(4, kPageTokens);
  const Tokens tokens = Counting(10, 4);
  {
    PageLease lease = Take(allocator, 1);
    allocator.Share(lease, "t", tokens, 0);
  }
  EXPECT_EQ(allocator.Match("t", tokens).size(), 1);
  allocator.Forget();
  EXPECT_EQ(allocator.Match("t", tokens).size(), 0);
  EXPECT_EQ(Take(allocator, 4).size(), 4);
}

// Sequences that begin alike, grow, end and come again: a page always holds what its lease thinks,
// is written by one only, and is counted once.
TEST(PageAllocatorTest, RandomSequencesReadWhatTheyWrote) {
  std::mt19937 random(7);
  constexpr int32_t kPages = 40;
  PageAllocator allocator(kPages, kPageTokens);
  std::vector<TokenId> memory(kPages * kPageTokens, -1);
  struct Sequence {
    std::string root;
    Tokens tokens;
    size_t computed;
    PageLease lease;
  };
  std::vector<Sequence> sequences;
  int64_t matched = 0;
  for (int round = 0; round < 20000; ++round) {
    if (!sequences.empty() && random() % 3 == 0) {
      std::swap(sequences[random() % sequences.size()], sequences.back());
      sequences.pop_back();
    }
    if (random() % 2 == 0) {
      Sequence sequence{random() % 3 == 0 ? "a" : "b", {}, 0, {}};
      while (sequence.tokens.size() < 30 && random() % 12 != 0) {
        sequence.tokens.push_back(static_cast<TokenId>(random() % 20 == 0 ? 1 : 0));
      }
      sequence.lease = allocator.Match(sequence.root, sequence.tokens);
      sequence.computed = static_cast<size_t>(sequence.lease.size()) * kPageTokens;
      matched += sequence.lease.size();
      const auto whole =
          static_cast<int32_t>(PagesFor(static_cast<int64_t>(sequence.tokens.size()), kPageTokens));
      if (allocator.Extend(sequence.lease, whole - sequence.lease.size())) {
        sequences.push_back(std::move(sequence));
      }
    }
    std::set<int32_t> held, written;
    for (Sequence& s : sequences) {
      const size_t step = std::min<size_t>(random() % 9, s.tokens.size() - s.computed);
      allocator.Share(s.lease, s.root, std::span(s.tokens).first(s.computed + step),
                      static_cast<int64_t>(s.computed));
      for (size_t i = 0; i < step; ++i, ++s.computed) {
        const int32_t page = s.lease.pages()[s.computed / kPageTokens];
        ASSERT_TRUE(i > 0 && s.computed % kPageTokens != 0 ? written.contains(page)
                                                           : written.insert(page).second);
        memory[static_cast<size_t>(page) * kPageTokens + s.computed % kPageTokens] =
            s.tokens[s.computed];
      }
    }
    for (const Sequence& s : sequences) {
      held.insert(s.lease.pages().begin(), s.lease.pages().end());
      for (size_t i = 0; i < s.computed; ++i) {
        const int32_t page = s.lease.pages()[i / kPageTokens];
        ASSERT_EQ(memory[static_cast<size_t>(page) * kPageTokens + i % kPageTokens], s.tokens[i]);
      }
    }
    ASSERT_EQ(allocator.used(), static_cast<int32_t>(held.size()));
  }
  EXPECT_GT(matched, 1000);
  sequences.clear();
  EXPECT_EQ(allocator.free(), kPages);
}

TEST(PageAllocatorTest, PagesForRoundsUp) {
  EXPECT_EQ(PagesFor(0, 16), 0);
  EXPECT_EQ(PagesFor(1, 16), 1);
  EXPECT_EQ(PagesFor(16, 16), 1);
  EXPECT_EQ(PagesFor(17, 16), 2);
}

}  // namespace
}  // namespace jikji
