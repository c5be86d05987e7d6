// What a hostile template can do: nothing but be refused.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "base/json.h"
#include "text/chat_template.h"

namespace jikji {
namespace {

Result<std::string> Render(std::string_view source, const TemplateLimits& limits = {},
                           std::string_view variables = "{}") {
  JIKJI_ASSIGN(const auto compiled, ChatTemplate::Compile(source, limits));
  JIKJI_ASSIGN(const auto json, ParseJson(variables));
  return compiled.Render(json.as_object(), 0);
}

std::string Repeat(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

void ExpectExhausted(std::string_view source, const TemplateLimits& limits = {}) {
  const auto text = Render(source, limits);
  ASSERT_FALSE(text) << source.substr(0, 200);
  EXPECT_EQ(text.error().code, ErrorCode::kResourceExhausted)
      << source.substr(0, 200) << ": " << text.error().ToString();
}

TEST(ChatTemplateLimitsTest, StepsAreBounded) {
  ExpectExhausted("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}");
  ExpectExhausted("{% for a in range(100) %}x{% endfor %}", {.max_steps = 50});
  // Work that grows with the bytes is paid for too.
  ExpectExhausted(
      "{% set s = 'a' * 10000000 %}{% for i in range(99999) %}{{ s.find('b') }}{% endfor %}");
  ExpectExhausted(
      "{% set ns = namespace(x=[1]) %}{% for i in range(190) %}"
      "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == [ns.x[0], ns.x[1]] }}"
      "{{ ns.x|string|length }}");
}

TEST(ChatTemplateLimitsTest, BytesAreBounded) {
  ExpectExhausted("{{ 'a' * 10 ** 9 }}");
  ExpectExhausted("{{ 'a' * 9223372036854775807 }}");
  ExpectExhausted("{{ [1, 2] * 10 ** 15 }}");
  ExpectExhausted("{{ 'a'.center(10 ** 12) }}");
  ExpectExhausted("{{ '%1000000000d' % 1 }}");
  ExpectExhausted("{{ '{:1000000000}'.format('a') }}");
  ExpectExhausted("{{ 'a\nb'|indent(10 ** 10) }}");
  ExpectExhausted("{{ [1]|tojson(indent=10 ** 10) }}");
  ExpectExhausted(
      "{% set ns = namespace(s='a') %}{% for i in range(60) %}"
      "{% set ns.s = ns.s ~ ns.s %}{% endfor %}");
  ExpectExhausted("{% for i in range(1000) %}xxxxxxxxxx{% endfor %}", {.max_output = 5000});
  ExpectExhausted("{{ ('ab' * 1000000).replace('', 'c' * 1000) }}");
}

TEST(ChatTemplateLimitsTest, MemoryThatWasGivenBackIsNotCounted) {
  const auto text = Render("{% for i in range(100) %}{% set s = 'a' * 1000000 %}{% endfor %}ok",
                           {.max_output = 4 << 20});
  ASSERT_TRUE(text) << text.error().ToString();
  EXPECT_EQ(*text, "ok");
}

TEST(ChatTemplateLimitsTest, DepthIsBounded) {
  ExpectExhausted("{{ " + Repeat("(", 5000) + "1" + Repeat(")", 5000) + " }}");
  ExpectExhausted("{{ " + Repeat("[", 5000) + Repeat("]", 5000) + " }}");
  ExpectExhausted("{{ " + Repeat("not ", 5000) + "1 }}");
  ExpectExhausted("{{ " + Repeat("-", 5000) + "1 }}");
  ExpectExhausted("{{ 1" + Repeat(" + 1", 5000) + " }}");
  ExpectExhausted("{{ a" + Repeat(".a", 5000) + " }}");
  ExpectExhausted("{{ a" + Repeat("|abs", 5000) + " }}");
  ExpectExhausted("{{ 1" + Repeat(" if 1 else 1", 5000) + " }}");
  ExpectExhausted(Repeat("{% if 1 %}", 5000) + Repeat("{% endif %}", 5000));
  ExpectExhausted("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}");
  ExpectExhausted("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}");
  ExpectExhausted(
      "{% set ns = namespace(x=1) %}{% for i in range(1000) %}"
      "{% set ns.x = [ns.x] %}{% endfor %}");
  ExpectExhausted(
      "{% set ns = namespace(x=1) %}{% for i in range(1000) %}"
      "{% set ns.x = joiner(ns.x) %}{% endfor %}");
  ExpectExhausted("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}");
}

TEST(ChatTemplateLimitsTest, RecursionWithinTheDepthWorks) {
  const auto text = Render(
      "{% macro f(n) %}{% if n %}{% for x in [1] %}{{ f(n - 1) }}{% endfor %}{% endif %}x"
      "{% endmacro %}{{ f(100)|length }}");
  ASSERT_TRUE(text) << text.error().ToString();
  EXPECT_EQ(*text, "101");
}

TEST(ChatTemplateLimitsTest, SourceIsBounded) {
  const auto text = ChatTemplate::Compile(Repeat("a", 101), {.max_source = 100});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kResourceExhausted);
}

TEST(ChatTemplateLimitsTest, CyclesEndWithTheRender) {
  // The leak checker of the sanitizers is what fails here.
  const auto text = Render(
      "{% set ns = namespace() %}{% set ns.me = [ns] %}"
      "{% macro m() %}{{ ns }}{% endmacro %}{% set ns.m = m %}"
      "{% for x in [1] %}{% set ns.loop = loop %}{{ loop.changed([loop]) }}{% endfor %}");
  ASSERT_TRUE(text) << text.error().ToString();
  EXPECT_EQ(*text, "True");
}

TEST(ChatTemplateLimitsTest, RangesAreThoseOfTheSandbox) {
  EXPECT_TRUE(Render("{{ range(100000)|length }}"));
  EXPECT_FALSE(Render("{{ range(100001)|length }}"));
  EXPECT_FALSE(Render("{{ range(10 ** 9) }}"));
}

TEST(ChatTemplateLimitsTest, ErrorsSayWhere) {
  auto error = Render("a\n  {% if %}").error();
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_EQ(error.where, "template line 2, column 9");
  error = Render("가\n가 {{ 1 / 0 }}").error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.where, "template line 2, column 8");
  error = Render("{% include 'x' %}").error();
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  error = Render("{{ raise_exception('안 됩니다') }}").error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.message, "안 됩니다");
  EXPECT_EQ(Render("\xFF").error().code, ErrorCode::kMalformed);
}

TEST(ChatTemplateLimitsTest, IntegersOfVariablesMustFit) {
  EXPECT_EQ(Render("{{ x }}", {}, R"({"x": 18446744073709551615})").error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(Render("{{ x }}", {}, R"({"x": -9223372036854775808})").value(),
            "-9223372036854775808");
}

}  // namespace
}  // namespace jikji
