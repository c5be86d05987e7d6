#include "tensor/file_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/file.h"
#include "tensor/gguf.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FileWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "jikji-writer-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  size_t FilesInFolder() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static FileLayout TwoTensors() {
    const std::vector<TensorSpec> specs = {{"a", DType::kF32, {3}}, {"b", DType::kF16, {2}}};
    return LayoutGguf({}, specs).value();
  }
  static std::span<const std::byte> Bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
  }

  fs::path folder_;
};

TEST_F(FileWriterTest, WritesTensorsInTurns) {
  const fs::path path = folder_ / "m.gguf";
  auto writer = TensorFileWriter::Create(path, TwoTensors());
  ASSERT_TRUE(writer) << writer.error().ToString();
  ASSERT_TRUE(writer->Append(1, Bytes("xy")));
  ASSERT_TRUE(writer->Append(0, Bytes("aaaabbbb")));
  ASSERT_TRUE(writer->Append(1, Bytes("zw")));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_THAT(writer->Finish().error().message, HasSubstr("tensor 0 has 8 of 12 bytes"));
  ASSERT_TRUE(writer->Append(0, Bytes("cccc")));
  ASSERT_TRUE(writer->Finish());
  EXPECT_FALSE(writer->Finish());
  EXPECT_EQ(FilesInFolder(), 1u);

  const auto file = MappedFile::Open(path);
  const auto parsed = ParseGguf(file->bytes(), "m.gguf");
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  const auto text = [](const TensorView& tensor) {
    return std::string(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  };
  EXPECT_EQ(text(parsed->tensors[0]), "aaaabbbbcccc");
  EXPECT_EQ(text(parsed->tensors[1]), "xyzw");
}

TEST_F(FileWriterTest, RefusesMoreThanThereIsPlaceFor) {
  auto writer = TensorFileWriter::Create(folder_ / "m.gguf", TwoTensors());
  ASSERT_TRUE(writer);
  EXPECT_FALSE(writer->Append(2, Bytes("a")));
  EXPECT_FALSE(writer->Append(1, Bytes("abcde")));
  EXPECT_TRUE(writer->Append(1, Bytes("abcd")));
  EXPECT_FALSE(writer->Append(1, Bytes("e")));
}

TEST_F(FileWriterTest, LeavesNothingWhenAbandoned) {
  {
    auto writer = TensorFileWriter::Create(folder_ / "m.gguf", TwoTensors());
    ASSERT_TRUE(writer);
    TensorFileWriter moved = std::move(*writer);
    ASSERT_TRUE(moved.Append(1, Bytes("ab")));
    EXPECT_EQ(FilesInFolder(), 1u);
  }
  EXPECT_EQ(FilesInFolder(), 0u);
}

TEST_F(FileWriterTest, SaysWhereItCannotWrite) {
  const auto writer = TensorFileWriter::Create(folder_ / "no" / "m.gguf", TwoTensors());
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::kIo);
  EXPECT_THAT(writer.error().where, HasSubstr("m.gguf"));
}

TEST_F(FileWriterTest, SaysBeforehandThatThereIsNoRoom) {
  // A limit on the size of files stands in for a full disk; the signal it sends must not kill.
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limited = {.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limited), 0);
  const std::vector<TensorSpec> specs = {{"a", DType::kF32, {1 << 20}}};
  const auto writer = TensorFileWriter::Create(folder_ / "m.gguf", LayoutGguf({}, specs).value());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::kIo);
  EXPECT_THAT(writer.error().message, HasSubstr("no room for the 4194"));
  EXPECT_EQ(FilesInFolder(), 0u);
}

}  // namespace
}  // namespace jikji
