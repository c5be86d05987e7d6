#include "adapt/train/samples.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "model/golden_models.h"

namespace jikji::train {
namespace {

const ModelDescription& BuiltIn() {
  static const ModelDescription model =
      *DescribeModel(std::string(JIKJI_SOURCE_DIR) + "/models/jikji-mini-ko");
  return model;
}

TEST(Samples, CountsEveryLineThatItRefusesUnderItsReason) {
  TemporaryFolder folder;
  const auto file = folder.path() / "chats.jsonl";
  const std::string good =
      R"({"messages":[{"role":"user","content":"안녕"},{"role":"assistant","content":"네"}]})";
  std::string text = good + "\n\n" + good + "\r\n";
  text += "{\"messages\":[\n";  // 4
  text += R"({"messages":[{"role":"user","content":"가"}]})"
          "\n";  // 5
  text += R"({"messages":[{"role":"robot","content":"가"}]})"
          "\n";          // 6
  text += "\xff\xfe\n";  // 7
  text += R"({"messages":[{"role":"user"}]})"
          "\n[1]\n{}\n";  // 8 9 10
  text += R"({"messages":[{"role":"user","content":")" + std::string(3000, 'a') +
          R"("},{"role":"assistant","content":"네"}]})"
          "\n";                 // 11
  text += "{\"messages\":[{]";  // 12
  ASSERT_TRUE(WriteFileAtomic(file, text));
  Samples samples;
  ASSERT_TRUE(ReadChats(file, BuiltIn(), 200, samples));
  EXPECT_EQ(samples.documents.size(), 2u);
  std::map<std::string, std::pair<int64_t, std::string>> got;
  for (const auto& [reason, refused] : samples.refused) {
    got[reason] = {refused.count, refused.first.substr(file.string().size())};
  }
  const std::map<std::string, std::pair<int64_t, std::string>> wanted = {
      {"the line is not JSON", {2, ":4"}},
      {"no turn is the assistant's", {1, ":5"}},
      {"unknown role `robot`", {1, ":6"}},
      {"the line is not UTF-8", {1, ":7"}},
      {"a message has no `role` or `content` that is text", {1, ":8"}},
      {"the line is not a JSON object", {1, ":9"}},
      {"`messages` is missing or empty", {1, ":10"}},
      {"longer than 200 tokens", {1, ":11"}},
  };
  EXPECT_EQ(got, wanted);
}

TEST(Samples, ReadsTextByParagraphsAndByLines) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomic(folder.path() / "a.txt", "첫 글\n둘째 줄\n\n\n다음 글\n"));
  ASSERT_TRUE(WriteFileAtomic(folder.path() / "a.jsonl", "{\"text\":\"글\"}\n{\"txt\":1}\n"));
  Samples samples;
  ASSERT_TRUE(ReadTexts(folder.path() / "a.txt", BuiltIn(), 100, samples));
  EXPECT_EQ(samples.documents.size(), 2u);
  ASSERT_TRUE(ReadTexts(folder.path() / "a.jsonl", BuiltIn(), 100, samples));
  EXPECT_EQ(samples.documents.size(), 3u);
  EXPECT_EQ(samples.refused.at("no `text` that is text").count, 1);
  EXPECT_FALSE(ReadTexts(folder.path() / "none", BuiltIn(), 100, samples));
}

}  // namespace
}  // namespace jikji::train
