// Files that are many or named with bad intent, between a client and its hub.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "base/file.h"
#include "hub/client/pull.h"
#include "hub/client/push.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

class HubFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = fs::temp_directory_path() / "jikji_files_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
    fs::create_directories(root_ / "model");
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path root_;
};

// A hub is somebody else's program: what it calls its files becomes paths of this machine.
TEST_F(HubFiles, AHubThatNamesPathsOutsideIsRefused) {
  for (const char* path : {"../../escape", "/etc/escape", "a/../../escape", ".git/hooks/x",
                           "a\\\\..\\\\escape", "a//b", "C:escape", ""}) {
    const std::string tree = std::string(R"([{"type":"file","path":")") + path +
                             R"(","size":1,"oid":"5d41402abc4b2a76b9719d911017c592aaaaaaaa"}])";
    net::ServerOptions options;
    options.port = 0;
    auto server = net::Server::Start(
        options, [tree](net::Request request, std::shared_ptr<net::Responder> responder) {
          net::Response response;
          response.body = request.path.find("/tree/") != std::string::npos
                              ? tree
                              : R"({"sha":")" + std::string(40, 'a') + R"("})";
          responder->Send(std::move(response));
        });
    ASSERT_TRUE(server.has_value());
    Remote remote("http://127.0.0.1:" + std::to_string((*server)->port()), "");
    PullOptions pull;
    pull.repository = "alice/m";
    pull.cache = root_ / "in/cache";
    EXPECT_FALSE(Pull(remote, pull).has_value()) << path;
    EXPECT_FALSE(fs::exists(root_ / "in/cache/models--alice--m/snapshots")) << path;
    EXPECT_FALSE(fs::exists(root_ / "escape")) << path;
  }
}

TEST_F(HubFiles, LinksArePushedAsTheFilesTheyLeadTo) {
  TemporarySite site;
  std::ofstream(root_ / "outside.txt") << "linked";
  fs::create_directories(root_ / "elsewhere");
  std::ofstream(root_ / "elsewhere/secret.txt") << "not to be followed";
  fs::create_symlink(root_ / "outside.txt", root_ / "model/link.txt");
  fs::create_symlink(root_ / "nowhere", root_ / "model/dangling.txt");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "model/folder");
  Remote remote(site.url(), "");
  const auto pushed = Push(remote, {"alice/links", root_ / "model", "main", "first", false});
  ASSERT_TRUE(pushed.has_value()) << pushed.error().ToString();
  EXPECT_EQ(pushed->files, 1u);
  EXPECT_EQ(site.Get("/alice/links/resolve/main/link.txt").body, "linked");
  EXPECT_EQ(site.Get("/alice/links/resolve/main/folder/secret.txt").status, 404);
}

// Pages of a tree, several commits' worth of base64, and as many files back, with few of them open
// at once.
TEST_F(HubFiles, ThousandsGoThereAndBack) {
  constexpr int kFiles = 3000;  // three pages; bench/hub_files takes 10,000
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit few{256, usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  TemporarySite site;
  for (int i = 0; i < kFiles; ++i) {
    const fs::path folder = root_ / "model" / ("폴더" + std::to_string(i % 7));
    fs::create_directories(folder);
    std::ofstream(folder / (std::to_string(i) + ".txt")) << "file " << i;
  }
  Remote remote(site.url(), "");
  const auto pushed = Push(remote, {"alice/many", root_ / "model", "main", "first", false});
  ASSERT_TRUE(pushed.has_value()) << pushed.error().ToString();
  EXPECT_EQ(pushed->changed, static_cast<size_t>(kFiles));
  PullOptions pull;
  pull.repository = "alice/many";
  pull.cache = root_ / "cache";
  const auto pulled = Pull(remote, pull);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().ToString();
  EXPECT_EQ(pulled->files, static_cast<size_t>(kFiles));
  for (int i = 0; i < kFiles; ++i) {
    const fs::path path = "폴더" + std::to_string(i % 7) + "/" + std::to_string(i) + ".txt";
    ASSERT_EQ(*ReadFile(pulled->snapshot / path), "file " + std::to_string(i));
  }
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
}

}  // namespace
}  // namespace jikji::hub
