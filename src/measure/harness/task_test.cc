#include "measure/harness/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "model/golden_models.h"

namespace jikji::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TaskTest, AGroupStandsForItsTasksAndNoneComesTwice) {
  EXPECT_THAT(*FindTasks("kobest_copa,kobest"),
              ElementsAre("kobest_copa", "kobest_boolq", "kobest_hellaswag", "kobest_sentineg",
                          "kobest_wic"));
  EXPECT_TRUE(FindTasks("")->empty());
  EXPECT_EQ(TasksOfGroup("kobest").size(), 5u);
}

TEST(TaskTest, AnUnknownNameListsWhatThereIs) {
  for (const char* list : {"kobst", ",", "kobest, klue_nli"}) {
    const auto names = FindTasks(list);
    ASSERT_FALSE(names) << list;
    EXPECT_EQ(names.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(names.error().message, HasSubstr("kobest_wic"));
  }
}

TEST(TaskTest, ReadsItemsAndExamples) {
  const TemporaryFolder folder;
  const auto items = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += R"({"ctx": ")" + std::to_string(i) + R"(", "choices": ["a", "b"], "gold": 0})" + "\n";
    }
    return text;
  };
  ASSERT_TRUE(WriteFileAtomic(folder.path() / "kobest_copa.jsonl", items(4)));
  const auto plain = LoadTask("kobest_copa", {.data = folder.path()});
  ASSERT_TRUE(plain) << plain.error().ToString();
  EXPECT_EQ(plain->items.size(), 4u);
  EXPECT_EQ(plain->group, "kobest");
  const TaskOptions few{.data = folder.path(), .limit = 2, .shots = 3};
  EXPECT_EQ(LoadTask("kobest_copa", few).error().code, ErrorCode::kNotFound) << "no train file";
  ASSERT_TRUE(WriteFileAtomic(folder.path() / "kobest_copa_train.jsonl", items(3)));
  EXPECT_EQ(LoadTask("kobest_copa", few).error().code, ErrorCode::kInvalidArgument) << "too few";
  ASSERT_TRUE(WriteFileAtomic(folder.path() / "kobest_copa_train.jsonl", items(9)));
  const auto task = LoadTask("kobest_copa", few);
  ASSERT_TRUE(task) << task.error().ToString();
  EXPECT_EQ(task->items.size(), 2u);
  EXPECT_EQ(task->examples.size(), 9u);
  // KLUE-NLI has one file: the examples are its own items, all of them.
  ASSERT_TRUE(WriteFileAtomic(folder.path() / "klue_nli_dev.jsonl", items(9)));
  EXPECT_EQ(LoadTask("klue_nli", few)->examples.size(), 9u);
}

}  // namespace
}  // namespace jikji::measure
