#include "measure/harness/few_shot.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace jikji::measure {
namespace {

std::vector<ChoiceItem> Pool(size_t count) {
  std::vector<ChoiceItem> pool;
  for (size_t i = 0; i < count; ++i) {
    pool.push_back(
        {.context = "물음 " + std::to_string(i) + "?", .choices = {"예", "아니오"}, .gold = i % 2});
  }
  return pool;
}

size_t Examples(const std::string& text) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find("\n\n", at)) != std::string::npos; at += 2) ++count;
  return count;
}

TEST(FewShotTest, AnExampleIsContextSpaceAnswerEmptyLine) {
  const auto pool = Pool(2);
  EXPECT_EQ(FewShotText(pool, pool[0], 0, 1, 1), "물음 1? 아니오\n\n");
  EXPECT_EQ(FewShotText(pool, pool[0], 0, 0, 1), "");
}

TEST(FewShotTest, ExamplesDifferAndAreNeverTheItem) {
  const auto pool = Pool(12);
  for (size_t number = 0; number < pool.size(); ++number) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const std::string text = FewShotText(pool, pool[number], number, 5, seed);
      EXPECT_EQ(Examples(text), 5u);
      std::set<std::string> seen;
      for (const ChoiceItem& item : pool) {
        const size_t at = text.find(item.context);
        if (at == std::string::npos) continue;
        EXPECT_EQ(text.find(item.context, at + 1), std::string::npos);
        EXPECT_NE(item.context, pool[number].context);
      }
    }
  }
}

TEST(FewShotTest, SeedAndNumberDecide) {
  const auto pool = Pool(50);
  const ChoiceItem other{.context = "다른 것", .choices = {"a", "b"}, .gold = 0};
  const std::string text = FewShotText(pool, other, 3, 4, 1234);
  EXPECT_EQ(text, FewShotText(pool, other, 3, 4, 1234));
  EXPECT_NE(text, FewShotText(pool, other, 4, 4, 1234));
  EXPECT_NE(text, FewShotText(pool, other, 3, 4, 1235));
}

}  // namespace
}  // namespace jikji::measure
