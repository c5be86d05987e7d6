#include "tensor/shard_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace jikji {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Refusal(std::string_view text) {
  const auto parsed = ParseShardIndex(text, "index.json");
  if (parsed) return "";
  EXPECT_THAT(parsed.error().where, HasSubstr("index.json"));
  EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
  return parsed.error().message;
}

TEST(ShardIndexTest, GroupsTensorsByFile) {
  const auto parsed = ParseShardIndex(
      R"({"metadata":{"total_size":12,"more":[{"weight_map":1},null,"x"]},"weight_map":)"
      R"({"b":"2.safetensors","c":"1.safetensors","a":"2.safetensors"},"later":true})",
      "index.json");
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  ASSERT_EQ(parsed->size(), 2u);
  EXPECT_THAT(parsed->at("1.safetensors"), ElementsAre("c"));
  EXPECT_THAT(parsed->at("2.safetensors"), ElementsAre("a", "b"));
}

TEST(ShardIndexTest, FilesLieInTheFolder) {
  for (const std::string name :
       {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..\\\\x.safetensors",
        "..safetensors", ".safetensors", "", "model.bin", "x.safetensors/..",
        "x\\u0000.safetensors", "x\\n.safetensors"}) {
    EXPECT_THAT(Refusal(R"({"weight_map":{"a":")" + name + R"("}})"), HasSubstr("plain name"))
        << name;
  }
  EXPECT_EQ(Refusal(R"({"weight_map":{"a":"모델-1.safetensors"}})"), "");
}

TEST(ShardIndexTest, RepeatedKeysAreRefused) {
  EXPECT_THAT(Refusal(R"({"weight_map":{"a":"1.safetensors","a":"2.safetensors"}})"),
              HasSubstr("`a` twice"));
  EXPECT_THAT(Refusal(R"({"weight_map":{"a":"1.safetensors"},"weight_map":{}})"),
              HasSubstr("`weight_map` comes twice"));
}

TEST(ShardIndexTest, FormIsChecked) {
  EXPECT_THAT(Refusal(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("must be an object, not an array"));
  EXPECT_THAT(Refusal("5"), HasSubstr("must be an object, not a number"));
  EXPECT_THAT(Refusal("{} {}"), HasSubstr("more than one JSON value"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("no `weight_map`"));
  EXPECT_THAT(Refusal(R"({"weight_map":{}})"), HasSubstr("empty"));
  EXPECT_THAT(Refusal(R"({"weight_map":5})"), HasSubstr("`weight_map` must be an object"));
  EXPECT_THAT(Refusal(R"({"weight_map":"x.safetensors"})"), HasSubstr("must be an object"));
  EXPECT_THAT(Refusal(R"({"weight_map":null})"), HasSubstr("must be an object"));
  EXPECT_THAT(Refusal(R"({"weight_map":[]})"), HasSubstr("must be an object"));
  EXPECT_THAT(Refusal(R"({"weight_map":{"a":{}}})"), HasSubstr("must be a file name"));
  EXPECT_THAT(Refusal(R"({"weight_map":{"a":["1.safetensors"]}})"), HasSubstr("file name"));
  EXPECT_THAT(Refusal(R"({"weight_map":{"a":null}})"), HasSubstr("file name"));
  EXPECT_THAT(Refusal(std::string(100000, '{')), HasSubstr("not valid JSON"));
  EXPECT_THAT(Refusal("{\"x\":" + std::string(100000, '[')), HasSubstr("not valid JSON"));
}

}  // namespace
}  // namespace jikji
