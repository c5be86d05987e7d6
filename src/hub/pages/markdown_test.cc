#include "hub/pages/markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <regex>
#include <string>
#include <vector>

namespace jikji::hub {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Render(std::string_view text) { return RenderMarkdown(text, "/a/b/resolve/main/"); }

TEST(Markdown, WhatCardsAreWrittenIn) {
  EXPECT_EQ(Render("# 제목\n"), "<h2>제목</h2>\n");
  EXPECT_THAT(Render("| a | b |\n|---|---|\n| 1 | **2** |\n"),
              HasSubstr("<strong>2</strong></td>"));
  EXPECT_THAT(Render("```\na < b\n```\n"), HasSubstr("<pre><code>a &lt; b\n</code></pre>"));
  EXPECT_THAT(Render("[f](config.json)"), HasSubstr("href=\"/a/b/resolve/main/config.json\""));
  EXPECT_THAT(Render("![그림](x.png)"),
              HasSubstr("<img src=\"/a/b/resolve/main/x.png\" alt=\"그림\">"));
  EXPECT_THAT(Render("[s](https://example.org/?a=1&amp;b=2)"),
              HasSubstr("href=\"https://example.org/?a=1&amp;b=2\""));
}

TEST(Markdown, HtmlIsText) {
  for (const char* text : {"<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
                           "a <b onclick=x>b</b>", "<svg/onload=alert(1)>", "<!-- x -->"}) {
    EXPECT_THAT(Render(text), HasSubstr("&lt;")) << text;
    EXPECT_FALSE(std::regex_search(Render(text), std::regex("<(script|img|b|svg|!)"))) << text;
  }
}

TEST(Markdown, LinksLeadOnlyToSafePlaces) {
  for (const char* url : {"javascript:alert(1)", "JaVaScRiPt:alert(1)", "&#106;avascript:alert(1)",
                          "java&Tab;script:alert(1)", "data:text/html,x", "vbscript:x", "//evil.kr",
                          "/api/x", "../../x", "\\\\evil", "file:///etc/passwd"}) {
    EXPECT_THAT(Render("[x](" + std::string(url) + ")"), Not(HasSubstr("<a "))) << url;
    EXPECT_THAT(Render("![x](" + std::string(url) + ")"), Not(HasSubstr("<img"))) << url;
  }
  EXPECT_THAT(Render("![x](https://tracker.example/p.png)"), Not(HasSubstr("<img")));
  EXPECT_THAT(Render("![a\" onerror=\"x](p.png)"), Not(HasSubstr("\" onerror=\"")));
}

// Found by the fuzzer: md4c leaves a link that it entered within a picture behind the picture's
// end.
TEST(Markdown, SpansThatOverlapAreClosedOnce) {
  const std::string html =
      Render("](![a\" B) ![a\" onx](p.png) &> x]([j) 1![a\" B) &r=\"x](p) ![a\" k](p.png)");
  const auto count = [&](const char* tag) {
    const std::regex whole(tag);
    return std::distance(std::sregex_iterator(html.begin(), html.end(), whole), {});
  };
  EXPECT_EQ(count("<a "), count("</a>")) << html;
  EXPECT_GT(count("<img "), 0) << html;
}

// Whatever the text, no tag but those written here, each well formed.
TEST(Markdown, NoTextMakesATagOfItsOwn) {
  const std::vector<std::string> parts = {"<",
                                          ">",
                                          "\"",
                                          "'",
                                          "&",
                                          "&#60;",
                                          "&lt;",
                                          "[",
                                          "](",
                                          ")",
                                          "![",
                                          "javascript:",
                                          "`",
                                          "*",
                                          "_",
                                          "\n",
                                          "\n\n",
                                          "> ",
                                          "- [x] ",
                                          "|",
                                          "---",
                                          "#",
                                          "script",
                                          "onerror=",
                                          "http://a",
                                          " ",
                                          "한",
                                          "~~",
                                          std::string(1, '\0'),
                                          "\\"};
  const std::regex tag(
      "</?(p|h[2-6]|em|strong|code|del|pre|blockquote|ul|li|table|thead|tbody|tr|th|td|hr|br|a)>|"
      "<ol start=\"[0-9]+\">|</ol>|<input type=\"checkbox\" disabled( checked)?>|"
      "<a rel=\"noreferrer nofollow\" href=\"(https?://|mailto:|/a/b/resolve/main/)[^\"<>]*\">|"
      "<img src=\"/a/b/resolve/main/[^\"<>]*\" alt=\"[^\"<>]*\">");
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t n = random() % 30; n > 0; --n) text += parts[random() % parts.size()];
    const std::string rest = std::regex_replace(Render(text), tag, "");
    EXPECT_EQ(rest.find_first_of("<>"), std::string::npos) << text << "\n" << Render(text);
  }
}

}  // namespace
}  // namespace jikji::hub
