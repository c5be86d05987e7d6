// `jikji hub pull` and `push` against a hub that is served: whole, resumed after SIGKILL, and fed
// with bytes that are wrong.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "hub/client/cache.h"
#include "hub/client/piece_file.h"
#include "hub/client/pull.h"
#include "hub/client/push.h"
#include "hub/compact/restore.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

std::string LargeWeights(size_t bytes) {
  const std::string header = R"({"w":{"dtype":"U8","shape":[)" + std::to_string(bytes) +
                             R"(],"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
  std::string out(8, '\0');
  out[0] = static_cast<char>(header.size());
  out += header;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(i * 2654435761u >> 15);
  return out;
}

class HubClient : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = fs::temp_directory_path() / "jikji_pull_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
    fs::create_directories(root_ / "model/한글");
    Write("model.safetensors", LargeWeights(40u << 20));
    Write("config.json", "{}");
    Write("한글/설명 1.txt", "한국어");
    Write(".hidden", "stays");
    options_.repository = "alice/tiny";
    options_.cache = root_ / "cache";
  }
  void TearDown() override { fs::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::ofstream(root_ / "model" / path, std::ios::binary) << text;
  }
  Result<PushReport> PushModel(Remote& remote) {
    return Push(remote, {"alice/tiny", root_ / "model", "main", "first", false});
  }
  void ExpectWhole(const PullReport& report) {
    for (const char* path : {"model.safetensors", "config.json", "한글/설명 1.txt"}) {
      EXPECT_EQ(*ReadFile(report.snapshot / path), *ReadFile(root_ / "model" / path)) << path;
    }
    EXPECT_FALSE(fs::exists(report.snapshot / ".hidden"));
  }

  fs::path root_;
  PullOptions options_;
};

TEST_F(HubClient, WhatIsPushedIsPulled) {
  TemporarySite site;
  Remote remote(site.url(), "");
  const auto pushed = PushModel(remote);
  ASSERT_TRUE(pushed.has_value()) << pushed.error().ToString();
  EXPECT_EQ(pushed->changed, 3u);
  const auto again = PushModel(remote);
  EXPECT_EQ(again->changed, 0u);
  EXPECT_EQ(again->sent_bytes, 0u);
  EXPECT_EQ(again->commit, pushed->commit);

  const auto pulled = Pull(remote, options_);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().ToString();
  EXPECT_EQ(pulled->commit, pushed->commit);
  ExpectWhole(*pulled);
  EXPECT_EQ(*ReadFile(root_ / "cache/models--alice--tiny/refs/main"), pushed->commit);
  EXPECT_EQ(Pull(remote, options_)->fetched_bytes, 0u);

  const CacheFolder folder(options_.cache, "alice/tiny");
  EXPECT_TRUE(VerifyCache(folder)->damaged.empty());
  EXPECT_EQ(VerifyCache(folder)->blobs, 3u);
  const fs::path blob = fs::canonical(pulled->snapshot / "model.safetensors");
  std::fstream(blob, std::ios::in | std::ios::out | std::ios::binary).seekp(1000).put('!');
  EXPECT_EQ(VerifyCache(folder)->damaged, std::vector<fs::path>{blob});
}

TEST_F(HubClient, WhatTheDoorRefusesIsNamedAtOnceAndMakesNoRepository) {
  TemporarySite site;
  Remote remote(site.url(), "");
  Write("run.exe", "x");
  Write("한글/b.pkl", "x");
  const auto refused = PushModel(remote);
  ASSERT_FALSE(refused.has_value());
  for (const char* said : {"run.exe", "한글/b.pkl", "--exclude"}) {
    EXPECT_NE(refused.error().message.find(said), std::string::npos) << refused.error().message;
  }
  EXPECT_EQ(site.Get("/api/models/alice/tiny").status, 404);
  const auto pushed =
      Push(remote, {"alice/tiny", root_ / "model", "main", "first", false, {"*.exe", "한글"}});
  ASSERT_TRUE(pushed.has_value()) << pushed.error().ToString();
  EXPECT_EQ(pushed->files, 2u);
}

TEST_F(HubClient, ManyLargeFilesAreSentAtOnce) {
  TemporarySite site;
  Remote remote(site.url(), "");
  uint64_t bytes = fs::file_size(root_ / "model/model.safetensors");
  for (int i = 0; i < 9; ++i) {
    const std::string weights = LargeWeights((3u << 20) + static_cast<size_t>(i / 2));  // pairs
    Write("part-" + std::to_string(i) + ".safetensors", weights);
    bytes += weights.size();
  }
  const auto pushed = PushModel(remote);
  ASSERT_TRUE(pushed.has_value()) << pushed.error().ToString();
  EXPECT_EQ(pushed->changed, 12u);
  EXPECT_LE(pushed->sent_bytes, bytes + 100);
  EXPECT_EQ(PushModel(remote)->changed, 0u);
  const auto pulled = Pull(remote, options_);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().ToString();
  for (int i = 0; i < 9; ++i) {
    const std::string path = "part-" + std::to_string(i) + ".safetensors";
    EXPECT_EQ(*ReadFile(pulled->snapshot / path), *ReadFile(root_ / "model" / path)) << path;
  }
  // One that the hub refuses is named, and nothing is committed.
  Write("part-3.safetensors", std::string(2u << 20, 'x'));
  Write("part-4.safetensors", LargeWeights(1u << 20));
  const auto refused = PushModel(remote);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().ToString().find("part-3"), std::string::npos);
  EXPECT_EQ(*remote.Commit("alice/tiny", "main"), pushed->commit);
}

// What fsck found damaged is asked for again, large or small, and is whole then.
TEST_F(HubClient, PushingAgainMendsWhatWasFoundDamaged) {
  TemporarySite site;
  Remote remote(site.url(), "");
  ASSERT_TRUE(PushModel(remote));
  for (const char* path : {"model.safetensors", "config.json"}) {
    const auto stored = site.hub().blobs().PathOf(Sha256Of(*ReadFile(root_ / "model" / path)));
    fs::remove(stored);
    std::ofstream(stored, std::ios::binary) << "rotten";
  }
  ASSERT_EQ(CheckStore(site.hub(), nullptr)->size(), 2u);
  const auto pushed = PushModel(remote);
  ASSERT_TRUE(pushed.has_value()) << pushed.error().ToString();
  EXPECT_EQ(pushed->changed, 2u);
  EXPECT_TRUE(CheckStore(site.hub(), nullptr)->empty());
  const auto pulled = Pull(remote, options_);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().ToString();
  ExpectWhole(*pulled);
  EXPECT_EQ(PushModel(remote)->changed, 0u);
}

// Killed again and again while it downloads: each time it goes on where it was, and what it
// remembers is right.
TEST_F(HubClient, AKilledPullGoesOn) {
  TemporarySite site;
  Remote remote(site.url(), "");
  ASSERT_TRUE(PushModel(remote));
  options_.connections = 1;
  const fs::path blobs = root_ / "cache/models--alice--tiny/blobs";
  const std::string url = site.url();
  uint64_t killed = 0;
  for (int round = 0; round < 2; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      Remote own(url, "");
      PullOptions options = options_;
      options.progress = [&](uint64_t done, uint64_t) {
        if (done > (1u << 20) && write(ends[1], "+", 1) != 1) _exit(1);
      };
      _exit(Pull(own, options) ? 0 : 1);
    }
    close(ends[1]);
    char byte = 0;
    // A piece of the large file is there.
    ASSERT_EQ(read(ends[0], &byte, 1), 1);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    close(ends[0]);
    killed += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_GT(killed, 0u);
  const auto pulled = Pull(remote, options_);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().ToString();
  EXPECT_LT(pulled->fetched_bytes, pulled->bytes);
  ExpectWhole(*pulled);
  EXPECT_TRUE(VerifyCache(CacheFolder(options_.cache, "alice/tiny"))->damaged.empty());
}

TEST_F(HubClient, APieceThatIsWrongIsNotTaken) {
  TemporarySite site;
  Remote remote(site.url(), "");
  ASSERT_TRUE(PushModel(remote));
  {
    // As if the hub's disk rotted after the pieces were told.
    const auto commit = remote.Commit("alice/tiny", "main");
    ASSERT_TRUE(remote.Pieces("alice/tiny", *commit, "model.safetensors"));
    const auto digest = Sha256Of(*ReadFile(root_ / "model/model.safetensors"));
    const fs::path blob = site.hub().blobs().PathOf(digest);
    fs::permissions(blob, fs::perms::owner_write, fs::perm_options::add);
    std::fstream(blob, std::ios::in | std::ios::out | std::ios::binary).seekp(20'000'000).put('!');
  }
  const auto pulled = Pull(remote, options_);
  ASSERT_FALSE(pulled.has_value());
  EXPECT_EQ(pulled.error().code, ErrorCode::kMalformed);
  EXPECT_FALSE(fs::exists(root_ / "cache/models--alice--tiny/refs/main"));
}

// What a power failure can leave of a pull that did not wait for the disk: a blob with its name and
// not its bytes.
TEST_F(HubClient, AfterARestartWhatIsNotRightIsFetchedAgain) {
  TemporarySite site;
  Remote remote(site.url(), "");
  ASSERT_TRUE(PushModel(remote));
  const fs::path model = options_.cache / "models--alice--tiny";
  const auto pulled = Pull(remote, options_);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().ToString();
  ASSERT_TRUE(fs::exists(model / ".unsynced"));
  const fs::path blob = fs::canonical(pulled->snapshot / "model.safetensors");
  fs::resize_file(blob, 1000);
  std::ofstream(model / ".unsynced") << "another start of the machine";

  const auto again = Pull(remote, options_);
  ASSERT_TRUE(again.has_value()) << again.error().ToString();
  EXPECT_EQ(again->fetched_bytes, fs::file_size(root_ / "model/model.safetensors"));
  ExpectWhole(*again);
  // Without a restart, the next one brings all to the disk and has no more to say.
  EXPECT_EQ(Pull(remote, options_)->fetched_bytes, 0u);
  EXPECT_FALSE(fs::exists(model / ".unsynced"));
}

TEST_F(HubClient, AfterARestartAMarkedPieceMustBeRight) {
  TemporarySite site;
  Remote remote(site.url(), "");
  ASSERT_TRUE(PushModel(remote));
  const std::string weights = *ReadFile(root_ / "model/model.safetensors");
  const CacheFolder folder(options_.cache, "alice/tiny");
  fs::create_directories(folder.root / "blobs");
  {
    auto part = PieceFile::Open(folder.root / "blobs" / HexOf(Sha256Of(weights)), weights.size(),
                                16u << 20);
    ASSERT_TRUE(part->Write(0, std::string_view(weights).substr(0, 16u << 20)));
    ASSERT_TRUE(part->Mark(0));
    ASSERT_TRUE(part->Mark(1));  // whose bytes never came to the disk
  }
  std::ofstream(folder.root / ".unsynced") << "another start of the machine";
  const auto pulled = Pull(remote, options_);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().ToString();
  ExpectWhole(*pulled);
  EXPECT_EQ(pulled->bytes - pulled->fetched_bytes, 16u << 20);
}

TEST_F(HubClient, RefusalsCarryTheHubsWords) {
  TemporarySite site;
  Remote remote(site.url(), "");
  EXPECT_EQ(Pull(remote, options_).error().code, ErrorCode::kNotFound);
  Write("weights.pt", "x");
  const auto pushed = PushModel(remote);
  ASSERT_FALSE(pushed.has_value());
  EXPECT_NE(pushed.error().message.find("safetensors"), std::string::npos);
}

TEST_F(HubClient, MarksAreTakenUpOnlyWhereTheyFit) {
  const fs::path target = root_ / "file";
  {
    auto file = PieceFile::Open(target, 25, 10);
    ASSERT_EQ(file->pieces(), 3u);
    ASSERT_TRUE(file->Write(10, "0123456789"));
    ASSERT_TRUE(file->Mark(1));
  }
  {
    const auto file = PieceFile::Open(target, 25, 10);
    EXPECT_FALSE(file->Has(0));
    EXPECT_TRUE(file->Has(1));
  }
  EXPECT_FALSE(PieceFile::Open(target, 26, 10)->Has(1));
  EXPECT_FALSE(PieceFile::Open(target, 25, 5)->Has(1));
}

}  // namespace
}  // namespace jikji::hub
