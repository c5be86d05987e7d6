// Peers that vanish, crowds, garbage, a server that stops.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "net/server.h"
#include "net/test_peer.h"

namespace jikji::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

#ifdef JIKJI_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// Keeps every responder, and tells when one came and when its peer went.
struct Keeper {
  std::mutex mutex;
  std::vector<std::shared_ptr<Responder>> kept;
  Latch handled;
  Latch gone;

  Handler handler() {
    return [this](Request, std::shared_ptr<Responder> responder) {
      responder->OnDisconnect([this] { gone.Hit(); });
      {
        std::lock_guard lock(mutex);
        kept.push_back(std::move(responder));
      }
      handled.Hit();
    };
  }
};

TEST(ServerFaults, APeerThatGoesAwayIsNoticedWhileItsAnswerIsMade) {
  Keeper keeper;
  const auto server = StartTestServer(keeper.handler());
  int expected = 0;
  for (const auto leave :
       {+[](TestPeer& peer) { peer.Close(); }, +[](TestPeer& peer) { peer.Reset(); },
        +[](TestPeer& peer) { peer.EndSending(); }}) {
    TestPeer peer(server->port());
    ASSERT_TRUE(peer.Send(Get("/")));
    ++expected;
    ASSERT_TRUE(keeper.handled.WaitFor(expected));
    EXPECT_EQ(keeper.gone.hits(), expected - 1);
    leave(peer);
    ASSERT_TRUE(keeper.gone.WaitFor(expected));
    const auto& responder = keeper.kept.back();
    responder->Begin(Text(""));
    EXPECT_FALSE(responder->Write("to nobody"));
    responder->End();
    Latch at_once;
    responder->OnDisconnect([&] { at_once.Hit(); });
    EXPECT_EQ(at_once.hits(), 1);
  }
}

TEST(ServerFaults, APeerThatGoesAwayInAStreamIsNoticed) {
  Keeper keeper;
  const auto server = StartTestServer(keeper.handler());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/")));
  ASSERT_TRUE(keeper.handled.WaitFor(1));
  keeper.kept[0]->Begin(Text(""));
  ASSERT_TRUE(keeper.kept[0]->Write("first"));
  EXPECT_TRUE(peer.ReadUntil("first").ends_with("first"));
  peer.Close();
  ASSERT_TRUE(keeper.gone.WaitFor(1));
  EXPECT_FALSE(keeper.kept[0]->Write("second"));
}

TEST(ServerFaults, APeerBehindAFullReadAheadIsNoticed) {
  ServerOptions options;
  options.idle_timeout = milliseconds(40);  // Makes the clock tick often.
  Keeper keeper;
  const auto server = StartTestServer(keeper.handler(), options);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/")));
  ASSERT_TRUE(keeper.handled.WaitFor(1));
  // More than is read ahead, less than that and what the kernel holds, so that the end can come.
  ASSERT_TRUE(peer.Send(std::string(50'000, 'x')));
  EXPECT_EQ(keeper.gone.hits(), 0);
  peer.Close();
  EXPECT_TRUE(keeper.gone.WaitFor(1));
}

TEST(ServerFaults, APeerThatOnlyStoppedSendingGetsWhatIsReady) {
  const auto server = StartTestServer(Echo);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/a") + Get("/b")));
  peer.EndSending();
  EXPECT_EQ(peer.Read().body, "GET /a? ");
  EXPECT_EQ(peer.Read().body, "GET /b? ");
  EXPECT_EQ(peer.WaitEnd(), TestPeer::End::kClosed);
}

TEST(ServerFaults, HalfOpenPeersCostOthersNothing) {
  const auto server = StartTestServer(Echo);
  std::vector<TestPeer> stuck;
  for (int i = 0; i < 100; ++i) {
    stuck.emplace_back(server->port());
    stuck.back().Send(i % 2 ? "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nhalf"
                            : "GET");
  }
  TestPeer peer(server->port());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(peer.Send(Get("/")));
    ASSERT_EQ(peer.Read().status, 200);
  }
}

TEST(ServerFaults, GarbageIsAnsweredOrCutAndNeverHurts) {
  ServerOptions options;
  options.threads = 2;
  options.max_body_bytes = 10'000;
  const auto server = StartTestServer(Echo, options);
  std::mt19937 random(20261123);
  const std::vector<std::string> seeds = {
      Get("/path?query", "Connection: keep-alive\r\n"),
      "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello",
      "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "PUT http://h/%ED%95%9C HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1"};
  for (int round = 0; round < (kSanitized ? 500 : 3000); ++round) {
    std::string text;
    if (round % 4 == 0) {
      text.resize(1 + random() % 2000);
      for (char& c : text) c = static_cast<char>(random());
    } else {
      for (size_t i = 0, count = 1 + random() % 4; i < count; ++i) {
        text += seeds[random() % seeds.size()];
      }
      for (size_t i = 0, count = random() % 4; i < count; ++i) {
        const size_t at = random() % text.size();
        switch (random() % 3) {
          case 0:
            text[at] = static_cast<char>(random());
            break;
          case 1:
            text.erase(at, 1 + random() % 5);
            break;
          default:
            text.insert(at, 1 + random() % 3, "\r\n 0:;\0"[random() % 8]);
        }
        if (text.empty()) text.assign(1, 'x');
      }
    }
    TestPeer peer(server->port());
    const size_t half = random() % text.size();
    peer.Send(text.substr(0, half));
    peer.Send(text.substr(half));
    switch (random() % 3) {
      case 0:
        peer.Reset();
        break;
      case 1:
        peer.EndSending();
        EXPECT_NE(peer.WaitEnd(), TestPeer::End::kTimeout);
        break;
      default:
        peer.Close();
    }
  }
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/")));
  EXPECT_EQ(peer.Read().status, 200);
}

int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0;
  int64_t resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// In a process of its own, since each connection takes a file on either side: connects `count`
// times, says so, and once told asks on every connection. Its exit status is 0 if all was answered.
[[noreturn]] void RunCrowd(int count, int from_parent, int to_parent) {
  uint16_t port = 0;
  if (read(from_parent, &port, sizeof port) != sizeof port) _exit(2);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> files(static_cast<size_t>(count));
  for (int& file : files) {
    file = socket(AF_INET, SOCK_STREAM, 0);
    const timeval limit{30, 0};
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (file < 0 || connect(file, reinterpret_cast<sockaddr*>(&address), sizeof address)) _exit(3);
  }
  char word = 'c';
  if (write(to_parent, &word, 1) != 1 || read(from_parent, &word, 1) != 1) _exit(4);
  constexpr std::string_view kAsk = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  for (const int file : files) {
    if (send(file, kAsk.data(), kAsk.size(), MSG_NOSIGNAL) < 0) _exit(5);
  }
  for (const int file : files) {
    char answer[1024];
    const ssize_t size = recv(file, answer, sizeof answer, 0);
    if (size < 12 || !std::string_view(answer, 12).ends_with("200")) _exit(6);
  }
  word = 'd';
  if (write(to_parent, &word, 1) != 1 || read(from_parent, &word, 1) != 1) _exit(7);
  _exit(0);
}

TEST(ServerFaults, TenThousandConnectionsAtOnce) {
  constexpr int kCrowd = 10'000;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < static_cast<rlim_t>(kCrowd) + 200) {
    GTEST_SKIP() << "only " << limit.rlim_max << " files may be open at once (ulimit -Hn)";
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int down[2];
  int up[2];
  ASSERT_EQ(pipe(down), 0);
  ASSERT_EQ(pipe(up), 0);
  const pid_t crowd = fork();  // Before the server's threads are.
  if (crowd == 0) {
    close(down[1]);
    close(up[0]);
    RunCrowd(kCrowd, down[0], up[1]);
  }
  close(down[0]);
  close(up[1]);
  ServerOptions options;
  options.idle_timeout = hours(1);
  const auto server = StartTestServer(Echo, options);
  const uint16_t port = server->port();
  const int64_t before = ResidentBytes();
  ASSERT_EQ(write(down[1], &port, sizeof port), static_cast<ssize_t>(sizeof port));
  char word = 0;
  ASSERT_EQ(read(up[0], &word, 1), 1);
  const int64_t fresh = (ResidentBytes() - before) / kCrowd;
  TestPeer other(port);  // There is room for others still; and all have been accepted before it.
  ASSERT_TRUE(other.Send(Get("/")));
  EXPECT_EQ(other.Read().status, 200);
  EXPECT_EQ(server->open_connections(), kCrowd + 1u);
  ASSERT_EQ(write(down[1], &word, 1), 1);
  ASSERT_EQ(read(up[0], &word, 1), 1);
  const int64_t used = (ResidentBytes() - before) / kCrowd;
  std::printf("bytes of memory per idle connection: %d when new, %d after a request\n",
              static_cast<int>(fresh), static_cast<int>(used));
  // Measured: about 750. A buffer kept for each would show at once.
  if (!kSanitized) {
    EXPECT_LT(used, 3000);
  }
  ASSERT_EQ(write(down[1], &word, 1), 1);
  int status = -1;
  waitpid(crowd, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  close(down[1]);
  close(up[0]);
}

TEST(ServerFaults, WithoutFilesLeftItWaitsInsteadOfSpinning) {
#ifdef JIKJI_SANITIZED
  GTEST_SKIP() << "a sanitizer needs files of its own to look at memory";
#endif
  const auto server = StartTestServer(Echo);
  TestPeer first(server->port());
  ASSERT_TRUE(first.Send(Get("/")));
  EXPECT_EQ(first.Read().status, 200);
  const int waiting = socket(AF_INET, SOCK_STREAM, 0);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit before = limit;
  limit.rlim_cur = static_cast<rlim_t>(waiting) + 1;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(waiting, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string ask = Get("/");
  ASSERT_GT(send(waiting, ask.data(), ask.size(), 0), 0);
  const auto cpu = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
  };
  const auto start = cpu();
  pollfd item{waiting, POLLIN, 0};
  EXPECT_EQ(poll(&item, 1, 300), 0);
  EXPECT_LT(cpu() - start, milliseconds(150));
  ASSERT_TRUE(first.Send(Get("/")));  // Those who are in are served.
  EXPECT_EQ(first.Read().status, 200);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(poll(&item, 1, 20'000), 1);
  close(waiting);
}

TEST(ServerDrain, FinishesWhatIsUnderWay) {
  Keeper keeper;
  const auto server = StartTestServer(keeper.handler());
  TestPeer idle(server->port());
  TestPeer partial(server->port());
  ASSERT_TRUE(
      partial.Send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
                   "Content-Length: 9\r\n\r\n"));
  EXPECT_TRUE(partial.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 100"));
  TestPeer whole(server->port());
  TestPeer stream(server->port());
  ASSERT_TRUE(whole.Send(Get("/")));
  ASSERT_TRUE(keeper.handled.WaitFor(1));
  ASSERT_TRUE(stream.Send(Get("/")));
  ASSERT_TRUE(keeper.handled.WaitFor(2));
  keeper.kept[1]->Begin(Text(""));
  keeper.kept[1]->Write("one");
  EXPECT_TRUE(stream.ReadUntil("one").ends_with("one"));
  auto drained = std::async(std::launch::async, [&] { return server->Drain(hours(1)); });
  EXPECT_EQ(idle.WaitEnd(), TestPeer::End::kClosed);
  EXPECT_EQ(partial.Read().status, 503);
  keeper.kept[1]->Write("two");
  EXPECT_TRUE(stream.ReadUntil("two").ends_with("two"));
  EXPECT_EQ(drained.wait_for(milliseconds(0)), std::future_status::timeout);
  keeper.kept[1]->End();
  EXPECT_TRUE(stream.ReadToEnd().ends_with("0\r\n\r\n"));
  keeper.kept[0]->Send(Text("last"));
  const Answer last = whole.Read();
  EXPECT_EQ(last.body, "last");
  EXPECT_EQ(last.Header("Connection"), "close");
  EXPECT_TRUE(drained.get());
  EXPECT_FALSE(TestPeer(server->port()).connected());
  EXPECT_EQ(keeper.gone.hits(), 0);
}

TEST(ServerDrain, CutsWhatTakesTooLong) {
  Keeper keeper;
  const auto server = StartTestServer(keeper.handler());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/")));
  ASSERT_TRUE(keeper.handled.WaitFor(1));
  keeper.kept[0]->Begin(Text(""));
  EXPECT_FALSE(server->Drain(milliseconds(10)));
  EXPECT_TRUE(keeper.gone.WaitFor(1));
  EXPECT_FALSE(keeper.kept[0]->Write("late"));
  EXPECT_EQ(peer.ReadToEnd().find("late"), std::string::npos);
  EXPECT_TRUE(server->Drain(milliseconds(10)));  // Nothing is left.
}

TEST(ServerDrain, TheDestructorStopsAtOnceAndRespondersOutliveIt) {
  Keeper keeper;
  ServerOptions options;
  options.threads = 3;
  auto server = StartTestServer(keeper.handler(), options);
  std::vector<TestPeer> peers;
  for (int i = 0; i < 9; ++i) {
    peers.emplace_back(server->port());
    ASSERT_TRUE(peers.back().Send(Get("/")));
  }
  ASSERT_TRUE(keeper.handled.WaitFor(9));
  std::atomic<bool> stop = false;
  std::thread writer([&, responder = keeper.kept[0]] {
    responder->Begin(Text(""));
    while (responder->Write("x") && !stop) continue;
  });
  server.reset();
  EXPECT_EQ(keeper.gone.hits(), 9);
  stop = true;
  writer.join();
  keeper.kept[1]->Send(Text("late"));
  keeper.kept[2]->Begin(Text(""));
  EXPECT_FALSE(keeper.kept[2]->Write("late"));
  keeper.kept.clear();
  for (TestPeer& peer : peers) EXPECT_NE(peer.WaitEnd(), TestPeer::End::kTimeout);
}

}  // namespace
}  // namespace jikji::net
