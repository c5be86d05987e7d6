#include "base/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"

namespace jikji {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LineReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("jikji_lines_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path Write(const std::string& name, const std::string& text) {
    std::string content = text;
    if (name.ends_with(".zst")) {
      content.resize(ZSTD_compressBound(text.size()));
      content.resize(ZSTD_compress(content.data(), content.size(), text.data(), text.size(), 1));
    }
    EXPECT_TRUE(WriteFileAtomic(folder_ / name, content));
    return folder_ / name;
  }
  static std::vector<std::string> Lines(const std::filesystem::path& path) {
    std::vector<std::string> lines;
    auto reader = LineReader::Open(path);
    EXPECT_TRUE(reader) << reader.error().ToString();
    while (reader) {
      const auto line = reader->Next();
      EXPECT_TRUE(line) << line.error().ToString();
      if (!line || !*line) break;
      lines.emplace_back(**line);
      EXPECT_EQ(std::cmp_equal(reader->line(), lines.size()), true);
    }
    return lines;
  }
  std::filesystem::path folder_;
};

TEST_F(LineReaderTest, ReadsLinesOfEitherKind) {
  for (const char* name : {"a.txt", "a.zst"}) {
    EXPECT_THAT(Lines(Write(name, "하나\r\n\n둘\n셋")), ElementsAre("하나", "", "둘", "셋"));
    EXPECT_THAT(Lines(Write(name, "끝\n")), ElementsAre("끝"));
    EXPECT_THAT(Lines(Write(name, "")), ElementsAre());
  }
}

TEST_F(LineReaderTest, AByteOrderMarkIsNoPartOfTheFirstLine) {
  const std::string mark = "\xEF\xBB\xBF";
  for (const char* name : {"a.txt", "a.zst"}) {
    EXPECT_THAT(Lines(Write(name, mark + "하나\n" + mark + "둘\n")),
                ElementsAre("하나", mark + "둘"));
    EXPECT_THAT(Lines(Write(name, mark)), ElementsAre(""));
  }
}

TEST_F(LineReaderTest, LongTextsComeThrough) {
  std::mt19937 random(1);
  std::vector<std::string> wanted;
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    wanted.emplace_back(random() % 3000, static_cast<char>('a' + random() % 26));
    text += wanted.back() + "\n";
  }
  EXPECT_EQ(Lines(Write("a.txt", text)), wanted);
  EXPECT_EQ(Lines(Write("a.txt.zst", text)), wanted);
}

TEST_F(LineReaderTest, BrokenCompressionIsAnError) {
  const auto path = Write("a.zst", std::string(100'000, 'x'));
  const std::string whole = *ReadFile(path);
  for (size_t size : {size_t{1}, size_t{8}, whole.size() - 1}) {
    ASSERT_TRUE(WriteFileAtomic(path, whole.substr(0, size)));
    auto reader = LineReader::Open(path);
    ASSERT_TRUE(reader);
    auto line = reader->Next();
    while (line && *line) line = reader->Next();
    ASSERT_FALSE(line) << size;
    EXPECT_THAT(line.error().message, HasSubstr("cut short"));
  }
  ASSERT_TRUE(WriteFileAtomic(path, "no zstd at all"));
  EXPECT_FALSE(LineReader::Open(path)->Next());
}

}  // namespace
}  // namespace jikji
