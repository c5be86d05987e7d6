#include "store/blob_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace jikji {
namespace {

namespace fs = std::filesystem;

class BlobStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = fs::temp_directory_path() / "jikji_blobs_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
  }
  void TearDown() override { fs::remove_all(root_); }
  BlobStore Open() const {
    auto store = BlobStore::Open(root_);
    EXPECT_TRUE(store.has_value());
    return *std::move(store);
  }
  size_t Incoming() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(root_ / "incoming"), {}));
  }
  fs::path root_;
};

TEST(Digests, AreThoseOfOthers) {
  EXPECT_EQ(HexOf(Sha256Of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(HmacSha256Of("Jefe", "what do ya want for nothing?")),  // RFC 4231, case 2
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(GitObjectId("blob", ""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(GitObjectId("tree", ""), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

TEST(Digests, TextsAreReadStrictly) {
  const std::string hex = HexOf(Sha256Of("x"));
  EXPECT_EQ(*ParseDigest(hex), Sha256Of("x"));
  for (const std::string& bad :
       {hex.substr(1), hex + "0", "G" + hex.substr(1), "A" + hex.substr(1), std::string()}) {
    EXPECT_FALSE(ParseDigest(bad)) << bad;
  }
  for (size_t size = 0; size < 20; ++size) {
    const std::string bytes(size, static_cast<char>(0xF0 + size));
    EXPECT_EQ(*ParseBase64(Base64Of(bytes)), bytes);
  }
  for (const char* bad : {"A", "AB", "ABC", "AB=C", "=AAA", "AA A", "A===", "AAAA\n"}) {
    EXPECT_FALSE(ParseBase64(bad)) << bad;
  }
}

TEST_F(BlobStoreTest, KeepsBytesUnderTheirDigest) {
  const BlobStore store = Open();
  const std::string bytes(100'000, 'j');
  auto writer = store.Begin();
  ASSERT_TRUE(writer.has_value());
  ASSERT_TRUE(writer->Write(std::string_view(bytes).substr(0, 33'333)));
  ASSERT_TRUE(writer->Write(std::string_view(bytes).substr(33'333)));
  EXPECT_FALSE(store.OpenBlob(Sha256Of(bytes)));  // not before it is published
  EXPECT_EQ(*writer->Seal(), Sha256Of(bytes));
  ASSERT_TRUE(writer->Publish());
  const auto file = store.OpenBlob(Sha256Of(bytes));
  ASSERT_TRUE(file.has_value());
  std::string read(bytes.size(), '\0');
  ASSERT_TRUE(file->Read(0, read));
  EXPECT_EQ(read, bytes);
  EXPECT_EQ(*store.Put(bytes), Sha256Of(bytes));  // twice is once
  size_t blobs = 0;
  ASSERT_TRUE(store.ForEach([&](const StoredFile& file) -> Result<> {
    EXPECT_EQ(file.digest, Sha256Of(bytes));
    EXPECT_EQ(file.bytes, bytes.size());
    EXPECT_FALSE(file.compact);
    ++blobs;
    return {};
  }));
  EXPECT_EQ(blobs, 1u);
  EXPECT_EQ(Incoming(), 0u);
  ASSERT_TRUE(store.Remove({Sha256Of(bytes)}));
  EXPECT_EQ(store.OpenBlob(Sha256Of(bytes)).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store.Remove({Sha256Of(bytes)}));
}

TEST_F(BlobStoreTest, AWriterThatIsDroppedLeavesNothing) {
  const BlobStore store = Open();
  {
    auto writer = store.Begin();
    ASSERT_TRUE(writer->Write("half"));
    EXPECT_EQ(Incoming(), 1u);
  }
  EXPECT_EQ(Incoming(), 0u);
}

TEST_F(BlobStoreTest, APartialFileIsTakenUp) {
  const BlobStore store = Open();
  const std::string bytes(3'000'000, 'p');
  const fs::path partial = store.PartialPath("upload-1");
  std::ofstream(partial) << bytes;
  {
    auto writer = store.Adopt(partial);
    ASSERT_TRUE(writer.has_value());
    EXPECT_EQ(writer->size(), bytes.size());
    EXPECT_EQ(*writer->Seal(), Sha256Of(bytes));
    ASSERT_TRUE(writer->Publish());
  }
  EXPECT_TRUE(store.OpenBlob(Sha256Of(bytes)));
  EXPECT_FALSE(fs::exists(partial));
}

TEST_F(BlobStoreTest, AbandonedFilesGoOnceTheyAreOld) {
  const BlobStore store = Open();
  std::ofstream(store.PartialPath("left")) << "x";
  EXPECT_EQ(*store.RemoveAbandoned(std::chrono::hours(1)), 0u);
  fs::last_write_time(store.PartialPath("left"),
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_EQ(*store.RemoveAbandoned(std::chrono::hours(1)), 1u);
  EXPECT_EQ(Incoming(), 0u);
}

TEST_F(BlobStoreTest, AFullDiskIsAnErrorAndLeavesNothing) {
  const BlobStore store = Open();
  const pid_t child = fork();  // so that the limit is not ours
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10'000, 10'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto put = store.Put(std::string(20'000, 'x'));
    _exit(!put && put.error().code == ErrorCode::kResourceExhausted ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(Incoming(), 0u);
}

}  // namespace
}  // namespace jikji
