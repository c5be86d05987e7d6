// What a well-behaved peer sees: answers, streams, order.
#include "net/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/test_peer.h"

namespace jikji::net {
namespace {

// A thread that is not the server's, to answer from.
class Worker {
 public:
  Worker() : thread_([this] { Run(); }) {}
  ~Worker() {
    Post(nullptr);
    thread_.join();
  }
  void Post(std::function<void()> job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    ready_.notify_one();
  }

 private:
  void Run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return !jobs_.empty(); });
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      if (!job) return;
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> jobs_;
  std::thread thread_;
};

TEST(Server, AnswersOnAConnectionThatStays) {
  const auto server = StartTestServer(Echo);
  TestPeer peer(server->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.Send(Get("/a%20b?c=" + std::to_string(i))));
    const Answer answer = peer.Read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a b?c=" + std::to_string(i) + " ");
    EXPECT_EQ(answer.Header("Content-Type"), "text/plain");
    EXPECT_EQ(answer.Header("Connection"), "");
    EXPECT_NE(answer.Header("Date"), "");
  }
  ASSERT_TRUE(peer.Send(Get("/", "Connection: close\r\n")));
  EXPECT_EQ(peer.Read().Header("Connection"), "close");
  EXPECT_EQ(peer.WaitEnd(), TestPeer::End::kClosed);
}

TEST(Server, ReadsBodiesOfEitherFraming) {
  const auto server = StartTestServer(Echo);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(peer.Read().body, "POST /x? hello");
  const std::string chunked =
      "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n";
  for (const char byte : chunked) ASSERT_TRUE(peer.Send({&byte, 1}));
  EXPECT_EQ(peer.Read().body, "POST /x? hello");
  ASSERT_TRUE(peer.Send("\r\n\r\nPOST /y HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(peer.Read().body, "POST /y? ");
  const std::string big(3'000'000, 'b');
  ASSERT_TRUE(peer.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                        std::to_string(big.size()) + "\r\n\r\n" + big));
  EXPECT_EQ(peer.Read().body, "POST /? " + big);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Worker worker;
  // Every other answer comes later, from another thread.
  const auto server = StartTestServer([&](Request request, std::shared_ptr<Responder> responder) {
    if (request.path.back() % 2 == 0) return Echo(std::move(request), std::move(responder));
    worker.Post([request, responder] { Echo(request, responder); });
  });
  TestPeer peer(server->port());
  std::string all;
  for (int i = 0; i < 2000; ++i) {
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n" +
           std::string(100, 'x');
  }
  std::thread sender([&] { EXPECT_TRUE(peer.Send(all)); });
  for (int i = 0; i < 2000; ++i) {
    const Answer answer = peer.Read();
    EXPECT_TRUE(answer.body.starts_with("POST /" + std::to_string(i) + "? ")) << answer.body;
  }
  sender.join();
}

// A peer that sends its requests all at once does not keep another waiting for all of them.
TEST(Server, PipelinedRequestsLetOthersHaveTheirTurn) {
  constexpr int kFlood = 100;
  Latch begun, go;
  std::vector<std::string> order;  // on the one network thread
  const auto server = StartTestServer([&](Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/0") {
      begun.Hit();
      EXPECT_TRUE(go.WaitFor(1));
    }
    order.push_back(request.path);
    responder->Send({.headers = {}, .body = "x"});
  });
  TestPeer other(server->port()), flood(server->port());
  ASSERT_TRUE(other.Send("GET /before HTTP/1.1\r\nHost: t\r\n\r\n"));
  EXPECT_EQ(other.Read().status, 200);
  std::string all;
  for (int i = 0; i < kFlood; ++i) {
    all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
  }
  ASSERT_TRUE(flood.Send(all));
  ASSERT_TRUE(begun.WaitFor(1));
  ASSERT_TRUE(other.Send("GET /other HTTP/1.1\r\nHost: t\r\n\r\n"));
  go.Hit();
  EXPECT_EQ(other.Read().status, 200);
  for (int i = 0; i < kFlood; ++i) EXPECT_EQ(flood.Read().status, 200);
  ASSERT_EQ(order.size(), static_cast<size_t>(kFlood + 2));
  const auto turn = std::ranges::find(order, "/other") - order.begin();
  EXPECT_LT(turn, 10);
}

TEST(Server, ExpectsToBeAskedForTheBody) {
  const auto server = StartTestServer(Echo);
  TestPeer peer(server->port());
  ASSERT_TRUE(
      peer.Send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(peer.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(peer.Send("ok"));
  EXPECT_EQ(peer.Read().body, "POST /? ok");
  // A body that comes at once needs no asking.
  ASSERT_TRUE(peer.Send(
      "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_EQ(peer.Read().status, 200);
}

TEST(Server, HeadHasTheLengthAndNoBody) {
  const auto server = StartTestServer([](Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/stream") {
      responder->Begin(Text(""));
      EXPECT_TRUE(responder->Write("body"));
      responder->End();
    } else {
      responder->Send(Text("body", request.path == "/none" ? 204 : 200));
    }
  });
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n"));
  EXPECT_EQ(peer.Read(true).Header("Content-Length"), "4");
  ASSERT_TRUE(peer.Send("HEAD /stream HTTP/1.1\r\nHost: t\r\n\r\n"));
  EXPECT_EQ(peer.Read(true).Header("Transfer-Encoding"), "chunked");
  ASSERT_TRUE(peer.Send(Get("/none")));
  const Answer none = peer.Read();
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.Header("Content-Length"), "");
  ASSERT_TRUE(peer.Send(Get("/")));  // Nothing was left between the answers.
  EXPECT_EQ(peer.Read().body, "body");
}

TEST(Server, SpeaksHttp10) {
  const auto server = StartTestServer([](Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/") return responder->Send(Text("whole"));
    responder->Begin(Text(""));
    responder->Write("piece ");
    responder->Write("by piece");
    responder->End();
  });
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const Answer kept = peer.Read();
  EXPECT_EQ(kept.Header("Connection"), "keep-alive");
  EXPECT_EQ(kept.body, "whole");
  ASSERT_TRUE(peer.Send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const Answer stream = peer.Read();
  EXPECT_EQ(stream.Header("Transfer-Encoding"), "");
  EXPECT_EQ(stream.Header("Connection"), "close");
  EXPECT_EQ(stream.body, "piece by piece");
}

TEST(Server, StreamsEachPieceAsItIsWritten) {
  Worker worker;
  Latch got;
  const auto server = StartTestServer([&](Request, std::shared_ptr<Responder> responder) {
    worker.Post([&got, responder] {
      responder->Begin(Text(""));
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(responder->Write("data: " + std::to_string(i) + "\n\n"));
        EXPECT_TRUE(got.WaitFor(i + 1));  // The peer has it before the next is written.
      }
      responder->End();
    });
  });
  TestPeer peer(server->port());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(peer.Send(Get("/")));
    for (int i = 0; i < 50; ++i) {
      const std::string event = "data: " + std::to_string(i) + "\n\n";
      EXPECT_TRUE(peer.ReadUntil(event).ends_with(event));
      got.Hit();
    }
    EXPECT_EQ(peer.ReadUntil("0\r\n\r\n"), "\r\n0\r\n\r\n");
    got.Reset();
  }
}

TEST(Server, LargeAnswersArriveWhole) {
  std::string body;
  for (int i = 0; i < 2'000'000; ++i) body += std::to_string(i);
  const auto server = StartTestServer([&](Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/") return responder->Send(Text(body));
    responder->Begin(Text(""));
    responder->Write(body);  // One piece may be larger than the limit.
    responder->End();
  });
  TestPeer peer(server->port(), 4096);
  ASSERT_TRUE(peer.Send(Get("/")));
  EXPECT_TRUE(peer.Read().body == body);
  ASSERT_TRUE(peer.Send(Get("/stream", "Connection: close\r\n")));
  char size[32];
  std::snprintf(size, sizeof size, "\r\n\r\n%zx\r\n", body.size());
  const std::string all = peer.ReadToEnd();
  EXPECT_TRUE(all.ends_with(size + body + "\r\n0\r\n\r\n"));
}

TEST(Server, AHandlerThatFailsGives500) {
  const auto server = StartTestServer([](Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/throw") throw std::runtime_error("on purpose");
    if (request.path == "/int") throw 7;
  });
  TestPeer peer(server->port());
  for (const char* path : {"/throw", "/drop", "/int"}) {
    ASSERT_TRUE(peer.Send(Get(path)));
    const Answer answer = peer.Read();
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_NE(answer.body, "") << path;
  }
}

TEST(Server, AStreamThatIsNotEndedIsCut) {
  Worker worker;
  Latch got;
  const auto server = StartTestServer([&](Request, std::shared_ptr<Responder> responder) {
    responder->Begin(Text(""));
    responder->Write("part");
    worker.Post([&got, responder = std::move(responder)]() mutable {
      EXPECT_TRUE(got.WaitFor(1));
      responder.reset();
    });
  });
  for (const char* version : {"1.1", "1.0"}) {
    TestPeer peer(server->port());
    ASSERT_TRUE(peer.Send("GET / HTTP/" + std::string(version) + "\r\nHost: t\r\n\r\n"));
    EXPECT_TRUE(peer.ReadUntil("part").ends_with("part"));
    got.Hit();
    const std::string rest = peer.ReadToEnd();
    EXPECT_EQ(rest.find("0\r\n\r\n"), std::string::npos);
    EXPECT_EQ(peer.WaitEnd(), TestPeer::End::kReset);
    got.Reset();
  }
}

TEST(Server, UsesOfAResponderThatMakeNoSenseAreHarmless) {
  const auto server = StartTestServer([](Request, std::shared_ptr<Responder> responder) {
    EXPECT_FALSE(responder->Write("too early"));
    responder->End();
    responder->Send(Text("first"));
    responder->Send(Text("second"));
    responder->Begin(Text(""));
    EXPECT_FALSE(responder->Write("too late"));
    responder->OnDisconnect([] { ADD_FAILURE() << "the answer was complete"; });
  });
  TestPeer peer(server->port());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(peer.Send(Get("/")));
    EXPECT_EQ(peer.Read().body, "first");
  }
}

TEST(Server, ManyPeersOnManyThreads) {
  Worker worker;
  ServerOptions options;
  options.threads = 4;
  const auto server = StartTestServer(
      [&](Request request, std::shared_ptr<Responder> responder) {
        worker.Post([request = std::move(request), responder] {
          responder->Begin(Text(""));
          for (int i = 0; i < 5; ++i) responder->Write(request.path);
          responder->End();
        });
      },
      options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      TestPeer peer(server->port());
      for (int i = 0; i < 100; ++i) {
        std::string path("/");
        path += std::to_string(t) + "-" + std::to_string(i);
        ASSERT_TRUE(peer.Send(Get(path)));
        const std::string body = peer.Read().body;
        size_t count = 0;
        for (size_t at = 0; (at = body.find(path, at)) != std::string::npos; ++at) ++count;
        ASSERT_EQ(count, 5u) << body;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Server, TellsTheHandlerWhoAsks) {
  const auto server = StartTestServer([](Request request, std::shared_ptr<Responder> responder) {
    EXPECT_EQ(request.Header("hOST"), "test");
    EXPECT_EQ(request.Header("absent"), "");
    responder->Send(Text(request.peer));
  });
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/")));
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(peer.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  EXPECT_EQ(peer.Read().body, "127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  EXPECT_EQ(server->open_connections(), 1u);
}

TEST(Server, SaysWhyItCannotListen) {
  const auto first = StartTestServer(Echo);
  ServerOptions options;
  options.port = first->port();
  const auto taken = Server::Start(options, Echo);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(taken.error().where, "127.0.0.1:" + std::to_string(first->port()));
  options.address = "192.0.2.1";  // Nobody's (RFC 5737).
  options.port = 0;
  EXPECT_FALSE(Server::Start(options, Echo));
  options.address = "not an address";
  EXPECT_FALSE(Server::Start(options, Echo));
}

}  // namespace
}  // namespace jikji::net
