#include "base/json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace jikji {
namespace {

TEST(Json, ErrorsNameTheDocumentAndTheByte) {
  const auto parsed = ParseJson("{\"a\": 1,}", "config.json");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(parsed.error().where, "config.json");
  EXPECT_NE(parsed.error().message.find("at byte"), std::string::npos);
}

TEST(Json, RefusesTrailingTextDepthAndSize) {
  EXPECT_FALSE(ParseJson("{} x"));
  EXPECT_FALSE(ParseJson(""));
  EXPECT_FALSE(ParseJson(std::string(100, '[') + std::string(100, ']')));
  EXPECT_TRUE(ParseJson(std::string(60, '[') + std::string(60, ']')));
  EXPECT_FALSE(ParseJson("[1,2,3]", {}, {.max_bytes = 3}));
  EXPECT_FALSE(ParseJson("{\"a\": \"\xff\"}"));
}

TEST(Json, FieldsAreTypedAndErrorsNameThem) {
  const auto parsed = ParseJson(
      R"({"i": 3, "f": 3.0, "h": 3.5, "s": "x", "b": true, "n": null, "o": {}, "a": []})");
  ASSERT_TRUE(parsed);
  const auto& object = parsed->get_object();
  EXPECT_EQ(OptionalInt(object, "i")->value(), 3);
  EXPECT_EQ(OptionalInt(object, "f")->value(), 3);
  EXPECT_FALSE(OptionalInt(object, "h"));
  EXPECT_EQ(OptionalNumber(object, "h")->value(), 3.5);
  EXPECT_EQ(OptionalNumber(object, "i")->value(), 3.0);
  EXPECT_EQ(OptionalString(object, "s")->value(), "x");
  EXPECT_EQ(OptionalBool(object, "b")->value(), true);
  EXPECT_EQ(*OptionalInt(object, "n"), std::nullopt);
  EXPECT_EQ(*OptionalInt(object, "absent"), std::nullopt);
  EXPECT_NE(*OptionalObject(object, "o"), nullptr);
  EXPECT_NE(*OptionalArray(object, "a"), nullptr);
  const auto wrong = OptionalInt(object, "s", "outer");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().where, "outer.s");
  EXPECT_EQ(wrong.error().message, "`outer.s` must be an integer, not string");
}

}  // namespace
}  // namespace jikji
