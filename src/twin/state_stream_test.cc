#include "twin/state_stream.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "base/file.h"

namespace jikji::twin {
namespace {

constexpr std::string_view kSettings = "rate = 100\nseed = 1\n";

struct Sample {
  int32_t number = 0;
  std::vector<double> list;
  std::deque<uint64_t> queue;
  HugeArray<uint32_t> table{100'000};

  static Sample Made() {
    Sample sample;
    sample.number = 7;
    sample.list.resize(200'000);
    std::iota(sample.list.begin(), sample.list.end(), 0.5);
    sample.queue = {3, 1, 2};
    sample.table[99'999] = 5;
    return sample;
  }
  void Exchange(StateStream& stream) {
    stream.Plain(number);
    stream.List(list);
    stream.List(queue);
    stream.Table(table);
  }
  bool operator==(const Sample& other) const {
    return number == other.number && list == other.list && queue == other.queue &&
           std::ranges::equal(table, other.table);
  }
};

class StateStreamTest : public ::testing::Test {
 protected:
  StateStreamTest() : folder_(testing::TempDir() + "state_stream") {
    std::filesystem::create_directories(folder_);
    Sample sample = Sample::Made();
    auto writer = StateWriter::Create(file(), kSettings);
    EXPECT_TRUE(writer);
    sample.Exchange(**writer);
    EXPECT_TRUE((*writer)->Finish());
    content_ = *ReadFile(file());
  }
  ~StateStreamTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file() const { return folder_ / "state"; }

  // What reading `content` says; empty where it is as it was made.
  std::string Read(std::string_view content, std::string_view settings = kSettings) const {
    EXPECT_TRUE(WriteFileAtomic(file(), content));
    auto reader = StateReader::Open(file(), settings);
    if (!reader) return reader.error().message;
    Sample sample;
    sample.Exchange(**reader);
    if (const auto end = (*reader)->Finish(); !end) return end.error().message;
    return sample == Sample::Made() ? "" : "differs";
  }

  std::filesystem::path folder_;
  std::string content_;
};

TEST_F(StateStreamTest, GivesBackWhatItTook) { EXPECT_EQ(Read(content_), ""); }

TEST_F(StateStreamTest, KnowsAFileThatWasCut) {
  for (size_t size = 0; size < content_.size(); size += size < 200 ? 1 : 5003) {
    const std::string error = Read(content_.substr(0, size));
    EXPECT_FALSE(error.empty() || error == "differs") << size << ": " << error;
  }
}

TEST_F(StateStreamTest, KnowsAByteThatChanged) {
  size_t found = 0, tried = 0;
  for (size_t at = 0; at < content_.size(); at += at < 200 ? 1 : 5003) {
    std::string other = content_;
    other[at] ^= 0x10;
    const std::string error = Read(other);
    EXPECT_NE(error, "differs") << at;
    found += !error.empty();
    ++tried;
  }
  // A Zstandard frame has bits that mean nothing.
  EXPECT_GT(found, tried * 9 / 10);
}

TEST_F(StateStreamTest, KnowsWhatFollowsItsEnd) { EXPECT_NE(Read(content_ + "x"), ""); }

TEST_F(StateStreamTest, NamesTheSettingThatDiffers) {
  EXPECT_EQ(Read(content_, "rate = 100\nseed = 2\n"),
            "was saved by other settings: `seed = 1`, this run has `seed = 2`");
  EXPECT_EQ(Read(content_, "rate = 100\n"),
            "was saved by other settings: `seed = 1`, this run has ``");
}

TEST_F(StateStreamTest, AWriterLeftUnfinishedLeavesTheOldFile) {
  {
    Sample sample;
    auto writer = StateWriter::Create(file(), kSettings);
    ASSERT_TRUE(writer);
    sample.Exchange(**writer);
  }
  EXPECT_EQ(*ReadFile(file()), content_);
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) files += entry.exists();
  EXPECT_EQ(files, 1u);
}

TEST_F(StateStreamTest, ACutListGrowsByWhatComesOnly) {
  // A list that announces 2^60 entries ends with its file, not with the memory.
  auto writer = StateWriter::Create(file(), kSettings);
  ASSERT_TRUE(writer);
  uint64_t announced = uint64_t{1} << 60;
  (*writer)->Plain(announced);
  ASSERT_TRUE((*writer)->Finish());
  auto reader = StateReader::Open(file(), kSettings);
  ASSERT_TRUE(reader);
  std::vector<double> list;
  (*reader)->List(list);
  EXPECT_FALSE((*reader)->Finish());
  EXPECT_LT(list.size(), 100'000u);
}

TEST(StateWriterTest, SaysWhereItCannotWrite) {
  const auto writer = StateWriter::Create("/nonexistent/state", kSettings);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().where, "/nonexistent/state");
}

}  // namespace
}  // namespace jikji::twin
