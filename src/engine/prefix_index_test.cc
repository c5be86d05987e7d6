#include "engine/prefix_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace jikji {
namespace {

using Tokens = std::vector<TokenId>;

TEST(PrefixIndexTest, FindsWhatWasInserted) {
  PrefixIndex index(8, 2);
  const Tokens ab = {1, 2}, cd = {3, 4};
  EXPECT_FALSE(index.Find({.root = "t", .tokens = ab}).has_value());
  const auto first = index.Insert(5, {.root = "t", .tokens = ab});
  const auto second = index.Insert(3, {.parent = first, .tokens = cd});
  EXPECT_NE(first, second);
  EXPECT_EQ(index.Find({.root = "t", .tokens = ab}), 5);
  EXPECT_EQ(index.Find({.parent = first, .tokens = cd}), 3);
  EXPECT_FALSE(index.Find({.root = "t", .tokens = cd}).has_value());
  EXPECT_FALSE(index.Find({.parent = second, .tokens = cd}).has_value());
  EXPECT_FALSE(index.Find({.root = "u", .tokens = ab}).has_value());
  EXPECT_FALSE(index.Find({.root = "", .tokens = ab}).has_value());
  EXPECT_TRUE(index.Holds(5));
  index.Erase(5);
  EXPECT_FALSE(index.Holds(5));
  EXPECT_FALSE(index.Find({.root = "t", .tokens = ab}).has_value());
}

TEST(PrefixIndexTest, WhatFollowedAnErasedPageIsNotFoundBehindItsSuccessor) {
  PrefixIndex index(8, 1);
  const Tokens a = {1}, b = {2}, c = {3};
  const auto old = index.Insert(0, {.root = "t", .tokens = a});
  index.Insert(1, {.parent = old, .tokens = b});
  index.Erase(0);
  const auto again = index.Insert(0, {.root = "t", .tokens = c});
  EXPECT_NE(again, old);
  EXPECT_FALSE(index.Find({.parent = again, .tokens = b}).has_value());
  index.Clear();
  EXPECT_FALSE(index.Holds(1));
  EXPECT_FALSE(index.Find({.parent = old, .tokens = b}).has_value());
}

// Against a map, with contents so few that buckets are shared and entries come and go.
TEST(PrefixIndexTest, AgreesWithAMap) {
  std::mt19937 random(5);
  constexpr int32_t kPages = 40;
  PrefixIndex index(kPages, 2);
  using Content = std::tuple<PrefixIndex::Entry, std::string, Tokens>;
  std::map<Content, int32_t> pages;
  std::map<int32_t, Content> contents;
  for (int round = 0; round < 20000; ++round) {
    const auto page = static_cast<int32_t>(random() % kPages);
    if (const auto held = contents.find(page); held != contents.end()) {
      index.Erase(page);
      pages.erase(held->second);
      contents.erase(held);
    }
    const PrefixIndex::Entry parent =
        contents.empty() || random() % 3 == 0
            ? PrefixIndex::kRoot
            : index.EntryOf(std::next(contents.begin(), random() % contents.size())->first);
    const Content content = {parent,
                             parent == PrefixIndex::kRoot && random() % 2 == 0 ? "x" : "",
                             {static_cast<TokenId>(random() % 3), 7}};
    const PrefixIndex::Content asked = {
        .parent = parent, .root = std::get<1>(content), .tokens = std::get<2>(content)};
    const auto found = index.Find(asked);
    const auto expected = pages.find(content);
    ASSERT_EQ(found.has_value(), expected != pages.end());
    if (found) {
      ASSERT_EQ(*found, expected->second);
    } else {
      index.Insert(page, asked);
      pages[content] = page;
      contents[page] = content;
    }
  }
  EXPECT_GT(pages.size(), 10u);
}

}  // namespace
}  // namespace jikji
