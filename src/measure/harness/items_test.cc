#include "measure/harness/items.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "model/golden_models.h"

namespace jikji::measure {
namespace {

TEST(ItemsTest, ReadsAnItem) {
  const auto item = ParseChoiceItem(
      R"({"id": 7, "ctx": "봄은? ", "choices": ["차다", "따뜻하다"], "gold": 1})", "here");
  ASSERT_TRUE(item) << item.error().ToString();
  EXPECT_EQ(*item, (ChoiceItem{.context = "봄은? ", .choices = {"차다", "따뜻하다"}, .gold = 1}));
  EXPECT_TRUE(ParseChoiceItem(R"({"ctx": "", "choices": ["a", "b"], "gold": 0.0})", ""));
}

TEST(ItemsTest, WhatIsNoItemNamesItsLine) {
  for (const char* line : {
           "",
           "[]",
           "{",
           R"({"ctx": "a", "choices": ["a", "b"]})",
           R"({"ctx": "a", "gold": 0})",
           R"({"choices": ["a", "b"], "gold": 0})",
           R"({"ctx": 3, "choices": ["a", "b"], "gold": 0})",
           R"({"ctx": "a", "choices": ["a", 3], "gold": 0})",
           R"({"ctx": "a", "choices": ["a", ""], "gold": 0})",
           R"({"ctx": "a", "choices": ["a"], "gold": 0})",
           R"({"ctx": "a", "choices": ["a", "b"], "gold": 2})",
           R"({"ctx": "a", "choices": ["a", "b"], "gold": -1})",
           R"({"ctx": "a", "choices": ["a", "b"], "gold": "b"})",
           "{\"ctx\": \"\xFF\", \"choices\": [\"a\", \"b\"], \"gold\": 0}",
       }) {
    const auto item = ParseChoiceItem(line, "file.jsonl:3");
    ASSERT_FALSE(item) << line;
    EXPECT_TRUE(item.error().where.starts_with("file.jsonl:3")) << item.error().ToString();
  }
}

TEST(ItemsTest, ReadsAFileUpToTheLimit) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "items.jsonl";
  const std::string line = R"({"ctx": "a", "choices": ["a", "b"], "gold": 0})";
  ASSERT_TRUE(WriteFileAtomic(path, line + "\n\n" + line + "\n{"));
  EXPECT_EQ(ReadChoiceItems(path, 2)->size(), 2u);
  const auto whole = ReadChoiceItems(path, 0);
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().where, path.string() + ":4");
  ASSERT_TRUE(WriteFileAtomic(path, "\n"));
  EXPECT_FALSE(ReadChoiceItems(path, 0)) << "no items";
  EXPECT_FALSE(ReadChoiceItems(folder.path() / "none.jsonl", 0));
}

}  // namespace
}  // namespace jikji::measure
