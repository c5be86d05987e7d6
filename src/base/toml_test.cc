#include "base/toml.h"

#include <gtest/gtest.h>

namespace jikji {
namespace {

TEST(Toml, ReadsTablesWithBracketsInValues) {
  const auto table = ParseToml(
      "\xEF\xBB\xBF# [=\nrows = [\n  [1, 2],\n  [ # two\n   3]\n]\ntext = \"\"\"\n[=\n\\\"\"\" "
      "[\n\"\"\"\n"
      "quote = '\"['\n[이름 = 1",
      "t");
  EXPECT_FALSE(table);  // a bare key of Hangul: TOML 1.0 wants quotes

  // A quote within a word begins no string.
  for (const char* text :
       {"a = 13'x'한 @ 1\n", "a = 13\"한\"\n", "a\"한\" = 1\n", "a = 'x'\"한\"\n"}) {
    EXPECT_FALSE(ParseToml(text, "t")) << text;
  }

  const auto good = ParseToml(
      "# [=\nrows = [\n  [1, 2],\n  [ # two\n   3]\n]\ntext = \"\"\"\n[=\n\\\" [\n\"\"\"\nquote = "
      "'\"['\n"
      " [ \"이름\" ]\nx = {a = [\"]\"]}\n[[list]]\ny = 1\n[[list]]\ny = 2  # 둘\nz = "
      "\"\"\"넷\"\"\"\"  # \"다섯\n",
      "t");
  ASSERT_TRUE(good) << good.error().ToString();
  EXPECT_EQ((*good)["rows"].as_array()->size(), 2u);
  EXPECT_EQ((*good)["list"].as_array()->size(), 2u);
  EXPECT_EQ((*good)["text"].value_or(""), std::string_view("[=\n\" [\n"));
  EXPECT_NE((*good)["이름"].as_table(), nullptr);
}

TEST(Toml, NamesTheLineOfWhatIsMissing) {
  for (const char* header :
       {"[=", "[[=", "e=[8,2,}", "e={a=}", "e=,", "e=", "[", "[[", "[ .a]", "[#]", "[[ ", "[\n]",
        "[이름]", "[a.이름]", "이름 = 1", "\xCD\x8A", "a2 = 이름", "[a] 이름"}) {
    const auto table = ParseToml(std::string("a = \"[=\"\n") + header, "site.toml");
    ASSERT_FALSE(table) << header;
    EXPECT_EQ(table.error().code, ErrorCode::kMalformed);
    EXPECT_TRUE(table.error().where.starts_with("site.toml:2:")) << table.error().ToString();
  }
}

TEST(Toml, NamesTheLineOfOtherErrors) {
  for (const char* text :
       {"a = ", "a = 1\nb = [1", "[]", "[a", "a = 1\na = 2", "a = \"x", "a = '''"}) {
    const auto table = ParseToml(text, "t");
    ASSERT_FALSE(table) << text;
    EXPECT_FALSE(table.error().message.empty());
    EXPECT_TRUE(table.error().where.starts_with("t:")) << text;
  }
}

}  // namespace
}  // namespace jikji
