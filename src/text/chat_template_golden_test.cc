// What jinja2 renders, byte for byte: tests/goldens/templates/make.py wrote the expected texts.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/json.h"
#include "text/chat_template.h"

namespace jikji {
namespace {

constexpr int64_t kNow = 1'767'225'600;  // 2026-01-01 00:00:00, as make.py has it
const std::string kFolder = JIKJI_SOURCE_DIR "/tests/goldens/templates/";

Result<std::string> Render(std::string_view source, const boost::json::object& variables) {
  JIKJI_ASSIGN(const auto compiled, ChatTemplate::Compile(source));
  return compiled.Render(variables, kNow);
}

std::string Fnv1a(std::string_view text) {
  uint64_t value = 0xCBF29CE484222325;
  for (char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

// Empty where `actual` is what jinja2 gave, else what is wrong.
std::string Difference(const boost::json::value& expected, const Result<std::string>& actual) {
  const std::string shown = actual ? *actual : "error: " + actual.error().ToString();
  if (expected.is_string()) {
    if (actual && *actual == std::string_view(expected.get_string())) return "";
    return "expected: " + std::string(expected.get_string()) + "\nactual:   " + shown;
  }
  const auto& entry = expected.as_array();
  const std::string_view kind = entry[0].as_string();
  if (kind == "fnv1a") {
    if (actual && static_cast<int64_t>(actual->size()) == entry[1].as_int64() &&
        Fnv1a(*actual) == std::string_view(entry[2].as_string())) {
      return "";
    }
    return "another text: " + shown.substr(0, 200);
  }
  if (actual) return "expected an error, got: " + shown;
  if (kind == "error") return "";
  if (kind == "unsupported") {
    return actual.error().code == ErrorCode::kUnsupported ? "" : "another error: " + shown;
  }
  const std::string_view message = entry[1].as_string();
  if (actual.error().message == message) return "";
  return "expected the message: " + std::string(message) + "\nactual: " + shown;
}

TEST(ChatTemplateGoldenTest, SnippetsAreRenderedAsJinja2Does) {
  const auto golden = ParseJsonFile(kFolder + "snippets.json");
  ASSERT_TRUE(golden) << golden.error().ToString();
  const auto& variables = golden->at("variables").as_object();
  size_t cases = 0, identical = 0;
  for (const auto& entry : golden->at("cases").as_array()) {
    const std::string source(entry.at(0).as_string());
    const std::string difference = Difference(entry.at(1), Render(source, variables));
    EXPECT_EQ(difference, "") << source;
    ++cases;
    identical += difference.empty();
  }
  RecordProperty("cases", static_cast<int>(cases));
  RecordProperty("identical", static_cast<int>(identical));
  EXPECT_GT(cases, 500u);
}

TEST(ChatTemplateGoldenTest, ConversationsAreRenderedAsJinja2Does) {
  const auto golden = ParseJsonFile(kFolder + "conversations.json");
  ASSERT_TRUE(golden) << golden.error().ToString();
  const auto& conversations = golden->at("conversations").as_object();
  size_t cases = 0;
  for (const auto& [name, rows] : golden->at("rendered").as_object()) {
    const auto source = ReadFile(kFolder + std::string(name) + ".jinja", 1 << 20);
    ASSERT_TRUE(source) << source.error().ToString();
    for (const auto& [conversation, expected] : rows.as_object()) {
      const auto actual = Render(*source, conversations.at(conversation).as_object());
      EXPECT_EQ(Difference(expected, actual), "") << name << " on " << conversation;
      ++cases;
    }
  }
  EXPECT_GT(cases, 250u);
}

}  // namespace
}  // namespace jikji
