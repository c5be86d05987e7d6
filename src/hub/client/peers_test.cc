// Pulls that take pieces from each other: each piece leaves the hub once, and nobody is believed.
#include "hub/client/peers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "hub/client/cache.h"
#include "hub/client/pull.h"
#include "hub/client/push.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr uint64_t kPiece = 16u << 20;
constexpr uint64_t kSize = 5 * kPiece - 1000;

class HubPeers : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = fs::temp_directory_path() / "jikji_peers_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
    fs::create_directories(root_ / "model");
    const std::string header = R"({"w":{"dtype":"U8","shape":[)" + std::to_string(kSize) +
                               R"(],"data_offsets":[0,)" + std::to_string(kSize) + "]}}";
    std::string weights(8, '\0');
    weights[0] = static_cast<char>(header.size());
    weights += header;
    for (size_t i = 0; i < kSize; ++i)
      weights += static_cast<char>((i * 2654435761u >> 15) + (i >> 20));
    Write("model.safetensors", weights);
    Write("config.json", "{}");
    ASSERT_TRUE(Push(remote_, {"alice/big", root_ / "model", "main", "first", false}));
    large_bytes_ = weights.size();
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    std::ofstream(root_ / "model" / path, std::ios::binary) << text;
  }
  PullOptions Options(const std::string& cache, std::vector<std::string> peers = {}) const {
    PullOptions options;
    options.repository = "alice/big";
    options.cache = root_ / cache;
    options.peers = std::move(peers);
    return options;
  }
  void ExpectWhole(const Result<PullReport>& report) const {
    ASSERT_TRUE(report.has_value()) << report.error().ToString();
    EXPECT_TRUE(*ReadFile(report->snapshot / "model.safetensors") ==
                *ReadFile(root_ / "model/model.safetensors"));
    EXPECT_EQ(*ReadFile(report->snapshot / "config.json"), "{}");
  }
  static std::unique_ptr<PieceShare> StartShare() {
    auto share = PieceShare::Start("127.0.0.1:0");
    EXPECT_TRUE(share.has_value());
    return *std::move(share);
  }
  static std::string AddressOf(uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

  // A peer that answers whatever it is asked for in its own way.
  static std::unique_ptr<net::Server> Stranger(net::Handler handler) {
    net::ServerOptions options;
    options.port = 0;
    auto server = net::Server::Start(options, std::move(handler));
    EXPECT_TRUE(server.has_value());
    return *std::move(server);
  }
  std::vector<std::string> Digests() {
    const auto commit = remote_.Commit("alice/big", "main");
    return (*remote_.Pieces("alice/big", *commit, "model.safetensors"))->sha256;
  }
  int StatusOf(const PieceShare& share, const std::string& digest) {
    return net::Fetch({"GET", "http://" + AddressOf(share.port()) + "/pieces/" + digest, {}, {}})
        ->status;
  }

  fs::path root_;
  uint64_t large_bytes_ = 0;
  TemporarySite site_;
  Remote remote_{site_.url(), ""};
};

TEST_F(HubPeers, APeerThatHasItAllSparesTheHub) {
  ExpectWhole(Pull(remote_, Options("first")));
  const auto share = StartShare();
  PullOptions again = Options("first");  // all is there; it is served
  again.share = share.get();
  ExpectWhole(Pull(remote_, again));
  const auto pulled = Pull(remote_, Options("second", {AddressOf(share->port())}));
  ExpectWhole(pulled);
  EXPECT_EQ(pulled->peer_bytes, large_bytes_);
  EXPECT_EQ(share->served_bytes(), large_bytes_);
}

TEST_F(HubPeers, ThreeAtOnceTakeEachPieceFromTheHubOnce) {
  std::vector<std::unique_ptr<PieceShare>> shares;
  std::vector<std::string> addresses;
  for (int i = 0; i < 3; ++i) {
    shares.push_back(StartShare());
    addresses.push_back(AddressOf(shares.back()->port()));
  }
  std::vector<Result<PullReport>> reports(3);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      PullOptions options = Options("cache" + std::to_string(i), addresses);
      options.self = addresses[i];
      options.share = shares[i].get();
      reports[i] = Pull(remote_, options);
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t from_peers = 0;
  for (const auto& report : reports) {
    ExpectWhole(report);
    from_peers += report->peer_bytes;
  }
  EXPECT_EQ(from_peers, 2 * large_bytes_);
}

TEST_F(HubPeers, ALiarIsAskedNoMore) {
  ExpectWhole(Pull(remote_, Options("first")));
  const auto share = StartShare();
  PullOptions again = Options("first");
  again.share = share.get();
  ExpectWhole(Pull(remote_, again));
  std::atomic<int> asked = 0;
  const auto liar = Stranger([&](net::Request, std::shared_ptr<net::Responder> responder) {
    ++asked;
    net::Response response;
    response.body.assign(kPiece, 'x');
    responder->Send(std::move(response));
  });
  PullOptions options = Options("second", {AddressOf(liar->port()), AddressOf(share->port())});
  options.connections = 2;
  const auto pulled = Pull(remote_, options);
  ExpectWhole(pulled);
  EXPECT_GE(asked, 1);
  EXPECT_LE(asked, 2);  // once on each connection
  EXPECT_EQ(pulled->peer_bytes, large_bytes_);
  EXPECT_TRUE(VerifyCache(CacheFolder(root_ / "second", "alice/big"))->damaged.empty());
}

TEST_F(HubPeers, ASlowOneAndOneThatIsGoneArePassedOver) {
  const auto silent = Stranger([](net::Request, std::shared_ptr<net::Responder> responder) {
    responder->OnDisconnect([responder] {});  // kept, and never answered
  });
  uint16_t nobody = 0;
  {
    const auto gone = Stranger([](net::Request, std::shared_ptr<net::Responder>) {});
    nobody = gone->port();
  }
  PullOptions options = Options("cache", {AddressOf(silent->port()), AddressOf(nobody)});
  options.peer_limits.patience = milliseconds(50);
  options.peer_limits.piece = milliseconds(200);
  const auto pulled = Pull(remote_, options);
  ExpectWhole(pulled);
  EXPECT_EQ(pulled->peer_bytes, 0u);
}

TEST_F(HubPeers, NotYetIsBelievedForAWhile) {
  const auto waiting = Stranger([](net::Request, std::shared_ptr<net::Responder> responder) {
    net::Response response;
    response.status = 503;
    responder->Send(std::move(response));
  });
  PullOptions options = Options("cache", {AddressOf(waiting->port())});
  options.peer_limits.wait = milliseconds(100);
  ExpectWhole(Pull(remote_, options));
}

TEST_F(HubPeers, OnlyWhatIsHereAndRightIsServed) {
  const auto pulled = Pull(remote_, Options("first"));
  ExpectWhole(pulled);
  const std::vector<std::string> digests = Digests();
  const fs::path blob = fs::canonical(pulled->snapshot / "model.safetensors");
  // One rotted on the disk, one never came.
  std::fstream(blob, std::ios::in | std::ios::out | std::ios::binary).seekp(kPiece + 5).put('!');
  const auto share = StartShare();
  EXPECT_EQ(StatusOf(*share, digests[0]), 503);  // who knows, yet
  std::vector<bool> has(digests.size(), true);
  has[2] = false;
  const auto file = share->Add(blob, kPiece, digests, has);
  ASSERT_TRUE(file.has_value());
  share->AllAdded();
  const auto settled = [&](size_t piece) {
    for (;;) {
      const int status = StatusOf(*share, digests[piece]);
      if (status != 503) return status;
      std::this_thread::yield();
    }
  };
  EXPECT_EQ(settled(0), 200);
  EXPECT_EQ(settled(1), 404);
  EXPECT_EQ(StatusOf(*share, digests[2]), 503);
  share->Have(digests[2], *file, 2 * kPiece);
  EXPECT_EQ(StatusOf(*share, digests[2]), 200);
  // What is one piece is not shared: its digest is in lists that more may see.
  ASSERT_TRUE(share->Add(blob, kSize * 2, {std::string(64, 'a')}, {true}));
  EXPECT_EQ(StatusOf(*share, std::string(64, 'a')), 404);
  EXPECT_EQ(StatusOf(*share, "../../etc/passwd"), 404);
}

// Two pieces of zeros are alike; the one that is here is served, not the hole where the other will
// be.
TEST_F(HubPeers, OfPiecesThatAreAlikeTheOneThatIsHereIsServed) {
  Write("alike", std::string("????same", 8));
  const std::string digest = HexOf(Sha256Of("same"));
  const auto share = StartShare();
  const auto file = share->Add(root_ / "model/alike", 4, {digest, digest}, {false, false});
  ASSERT_TRUE(file.has_value());
  share->Have(digest, *file, 4);
  const auto answer =
      net::Fetch({"GET", "http://" + AddressOf(share->port()) + "/pieces/" + digest, {}, {}});
  EXPECT_EQ(answer->body, "same");
}

TEST(Peers, TheNextStandsInInTheSameOrderForAll) {
  Peers peers({"b:1", "c:1"}, "a:1", {});
  using From = Peers::From;
  EXPECT_TRUE(peers.IsOwn(0));
  EXPECT_TRUE(peers.IsOwn(3));
  EXPECT_FALSE(peers.IsOwn(1));
  EXPECT_EQ(peers.Choose(0, {}).from, From::kHub);
  EXPECT_EQ(peers.Choose(1, {}).peer, "b:1");
  EXPECT_EQ(peers.Choose(1, {"b:1"}).peer, "c:1");
  EXPECT_EQ(peers.Choose(1, {"b:1", "c:1"}).from, From::kHub);
  EXPECT_EQ(peers.Choose(2, {"c:1"}).from, From::kHub);
  Peers outside({"b:1", "c:1"}, "", {});
  EXPECT_FALSE(outside.IsOwn(0));
  EXPECT_EQ(outside.Choose(1, {"c:1"}).peer, "b:1");
  EXPECT_EQ(outside.Choose(1, {"c:1", "b:1"}).from, From::kHub);
}

}  // namespace
}  // namespace jikji::hub
