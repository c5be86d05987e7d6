#include "base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace jikji {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("jikji_file_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(FileTest, WritesReadsAndMaps) {
  const auto path = folder_ / "책.txt";
  ASSERT_TRUE(WriteFileAtomic(path, "first"));
  ASSERT_TRUE(WriteFileAtomic(path, "second"));
  EXPECT_EQ(ReadFile(path).value(), "second");
  auto mapped = MappedFile::Open(path);
  ASSERT_TRUE(mapped);
  MappedFile moved = std::move(*mapped);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(moved.bytes().data()), moved.bytes().size()),
            "second");
  // Nothing is left beside the file.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, ErrorsNameThePath) {
  const auto absent = ReadFile(folder_ / "absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_NE(absent.error().where.find("absent"), std::string::npos);
  EXPECT_FALSE(ReadFile(folder_));
  EXPECT_FALSE(MappedFile::Open(folder_));
  EXPECT_FALSE(WriteFileAtomic(folder_ / "no" / "folder", "x"));
  ASSERT_TRUE(WriteFileAtomic(folder_ / "big", "0123456789"));
  EXPECT_EQ(ReadFile(folder_ / "big", 5).error().code, ErrorCode::kResourceExhausted);
}

TEST_F(FileTest, AnEmptyFileMapsToNothing) {
  ASSERT_TRUE(WriteFileAtomic(folder_ / "empty", ""));
  auto mapped = MappedFile::Open(folder_ / "empty");
  ASSERT_TRUE(mapped);
  EXPECT_TRUE(mapped->bytes().empty());
}

TEST_F(FileTest, DroppedPagesAreReadAgain) {
  const auto path = folder_ / "pages";
  std::string content(100'000, 'x');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 23);
  ASSERT_TRUE(WriteFileAtomic(path, content));
  const auto mapped = MappedFile::Open(path);
  ASSERT_TRUE(mapped);
  const auto bytes = mapped->bytes();
  for (const auto& part : {bytes, bytes.subspan(1, 99'998), bytes.first(10), bytes.first(0)}) {
    DropMappedPages(part);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), content);
  }
}

}  // namespace
}  // namespace jikji
