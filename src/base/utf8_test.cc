#include "base/utf8.h"

#include <gtest/gtest.h>

#include <random>

namespace jikji {
namespace {

TEST(Utf8, EveryCodePointSurvivesARoundTrip) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text;
    AppendUtf8(code, text);
    const Utf8Char decoded = DecodeUtf8(text);
    ASSERT_TRUE(decoded.valid) << static_cast<uint32_t>(code);
    ASSERT_EQ(decoded.code_point, code);
    ASSERT_EQ(decoded.length, text.size());
    for (size_t cut = 1; cut < text.size(); ++cut) {
      ASSERT_EQ(IncompleteUtf8Suffix(std::string_view(text).substr(0, cut)), cut)
          << static_cast<uint32_t>(code);
    }
    ASSERT_EQ(IncompleteUtf8Suffix(text), 0u) << static_cast<uint32_t>(code);
  }
}

TEST(Utf8, RefusesSurrogatesOverlongsAndBeyondTheEnd) {
  for (const char* text : {"\xED\xA0\x80", "\xC0\xAF", "\xE0\x80\x80", "\xF4\x90\x80\x80", "\xFF",
                           "\x80", "\xF5\x80\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(text));
    EXPECT_EQ(IncompleteUtf8Suffix(text), 0u);
  }
}

TEST(Utf8, ReplacesMaximalSubparts) {
  // The example of the Unicode standard, table 3-11.
  EXPECT_EQ(ReplaceInvalidUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\x41");
  EXPECT_EQ(ReplaceInvalidUtf8("한\xED\x95글"), "한\uFFFD글");
}

TEST(Utf8, ReplacementOfAnyBytesIsValidAndKeepsValidText) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_TRUE(IsValidUtf8(ReplaceInvalidUtf8(bytes)));
    EXPECT_EQ(IsValidUtf8(bytes), ReplaceInvalidUtf8(bytes) == bytes ||
                                      bytes.find("\xEF\xBF\xBD") != std::string::npos);
  }
}

}  // namespace
}  // namespace jikji
