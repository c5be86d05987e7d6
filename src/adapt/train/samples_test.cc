#include "adapt/train/samples.h"

#include <gtest/gtest.h>
#include <zstd.h>

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
    std::string places;
    for (const std::string& place : refused.places) places += place.substr(file.string().size());
    got[reason] = {refused.count, places};
  }
  const std::map<std::string, std::pair<int64_t, std::string>> wanted = {
      {"not JSON", {2, ":4:12"}},
      {"no turn is the assistant's", {1, ":5"}},
      {"unknown role `robot`", {1, ":6"}},
      {"not UTF-8", {1, ":7"}},
      {"a message has no `role` or `content` that is text", {1, ":8"}},
      {"not a JSON object", {1, ":9"}},
      {"neither `messages`, `conversations` nor `instruction`", {1, ":10"}},
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
  // Of mixed encodings the lines that are not UTF-8 are named; the rest is read.
  ASSERT_TRUE(WriteFileAtomic(folder.path() / "b.txt", "좋은 글\n\xB0\xA1\n\n또 한 글\n"));
  ASSERT_TRUE(ReadTexts(folder.path() / "b.txt", BuiltIn(), 100, samples));
  EXPECT_EQ(samples.documents.size(), 5u);
  EXPECT_EQ(samples.refused.at("not UTF-8").places,
            (std::vector<std::string>{(folder.path() / "b.txt").string() + ":2"}));
  EXPECT_FALSE(ReadTexts(folder.path() / "none", BuiltIn(), 100, samples));
}

// The same conversation in every form, plain and compressed, gives the same document.
TEST(Samples, EveryFormOfAConversationIsTheSame) {
  TemporaryFolder folder;
  const std::vector<std::pair<const char*, std::string>> forms = {
      {"openai.jsonl", R"({"messages":[{"role":"system","content":"공손히"},)"
                       R"({"role":"user","content":"안녕\n\n하세요"},)"
                       R"({"role":"assistant","content":[{"type":"text","text":"네"}]}]})"},
      {"sharegpt.json", R"([{"system":"공손히","conversations":[{"from":"human",)"
                        R"("value":"안녕\n\n하세요"},{"from":"gpt","value":"네"}]}])"},
      {"alpaca.jsonl",
       R"({"system":"공손히","instruction":"안녕","input":"하세요","output":"네"})"},
  };
  Samples samples;
  for (const auto& [name, text] : forms) {
    ASSERT_TRUE(WriteFileAtomic(folder.path() / name, text));
    ASSERT_TRUE(ReadChats(folder.path() / name, BuiltIn(), 200, samples));
    std::string packed(ZSTD_compressBound(text.size()), 0);
    packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
    const auto compressed = folder.path() / (std::string(name) + ".zst");
    ASSERT_TRUE(WriteFileAtomic(compressed, packed));
    ASSERT_TRUE(ReadChats(compressed, BuiltIn(), 200, samples));
  }
  EXPECT_TRUE(samples.refused.empty()) << samples.refused.begin()->first;
  ASSERT_EQ(samples.documents.size(), 6u);
  for (const Document& document : samples.documents) {
    EXPECT_EQ(document.tokens, samples.documents[0].tokens);
    EXPECT_EQ(document.trained, samples.documents[0].trained);
  }
}

TEST(Samples, WhatWouldBeLostOfASampleIsRefused) {
  TemporaryFolder folder;
  const auto file = folder.path() / "list.json";
  ASSERT_TRUE(WriteFileAtomic(
      file, R"([{"conversations":[{"from":"narrator","value":"가"}]}, {"conversations":[]},
               {"instruction":"가","output":1}, {"instruction":"가","input":[],"output":"나"},
               {"messages":[{"role":"user","content":[{"type":"image_url"}]}]}, 5])"));
  Samples samples;
  ASSERT_TRUE(ReadChats(file, BuiltIn(), 200, samples));
  EXPECT_TRUE(samples.documents.empty());
  EXPECT_EQ(samples.refused.size(), 5u);
  EXPECT_EQ(samples.refused.at("`instruction`, `input` or `output` is not text").places,
            (std::vector<std::string>{file.string() + "#3", file.string() + "#4"}));
  EXPECT_EQ(samples.refused.at("unknown role `narrator`").count, 1);
  ASSERT_TRUE(WriteFileAtomic(file, "{}"));
  EXPECT_FALSE(ReadChats(file, BuiltIn(), 200, samples));
}

TEST(Samples, PreferencesAreReadInPairs) {
  TemporaryFolder folder;
  const auto file = folder.path() / "p.jsonl";
  ASSERT_TRUE(WriteFileAtomic(file, R"({"prompt":"안녕","chosen":"네","rejected":"응"})"
                                    "\n"
                                    R"({"prompt":"안녕","chosen":"네","rejected":"네"})"
                                    "\n"));
  Samples samples;
  ASSERT_TRUE(ReadPreferences(file, BuiltIn(), 200, samples));
  EXPECT_EQ(samples.documents.size(), 2u);
  EXPECT_EQ(samples.refused.at("both answers are the same").count, 1);
}

}  // namespace
}  // namespace jikji::train
