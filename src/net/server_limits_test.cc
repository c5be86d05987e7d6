// What a peer sees that breaks a rule or a limit.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/server.h"
#include "net/test_peer.h"

namespace jikji::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// Limits that no test meets but the one it is about.
ServerOptions Patient() {
  ServerOptions options;
  options.header_timeout = hours(1);
  options.body_timeout = hours(1);
  options.idle_timeout = hours(1);
  options.write_timeout = hours(1);
  return options;
}

void ExpectRefused(TestPeer& peer, int status) {
  const Answer answer = peer.Read();
  EXPECT_EQ(answer.status, status);
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_EQ(answer.Header("Content-Type"), "application/json");
  EXPECT_TRUE(answer.body.starts_with('{')) << answer.body;
  EXPECT_EQ(answer.Header("Content-Length"), std::to_string(answer.body.size()));
  EXPECT_NE(peer.WaitEnd(), TestPeer::End::kTimeout);
}

TEST(ServerLimits, AMalformedRequestGetsItsErrorAndNothingMoreIsRead) {
  Latch handled;
  const auto server = StartTestServer([&](Request request, std::shared_ptr<Responder> responder) {
    handled.Hit();
    Echo(std::move(request), std::move(responder));
  });
  const std::string post = "POST / HTTP/1.1\r\nHost: t\r\n";
  const std::vector<std::pair<std::string, int>> cases = {
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: identity\r\n\r\n", 501},
      {post + "Folded: a\r\n b\r\n\r\n", 400},
      {post + "Space : a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {std::string("GET /\0 HTTP/1.1\r\nHost: t\r\n\r\n", 29), 400},
      {"GET / HTTP/1.1\nHost: t\n\n", 400},
      {"GET / HTTP/3.0\r\nHost: t\r\n\r\n", 505},
      {post + "Expect: magic\r\n\r\n", 417},
      {"\x16\x03\x01\x02\x05\x01\x0d\x0a\x0d\x0a", 400},  // TLS at the wrong door.
  };
  for (const auto& [text, status] : cases) {
    TestPeer peer(server->port());
    ASSERT_TRUE(peer.Send(text + Get("/smuggled")));
    SCOPED_TRACE(text);
    ExpectRefused(peer, status);
  }
  EXPECT_EQ(handled.hits(), 0);
}

TEST(ServerLimits, AnErrorAfterAHeadRequestHasItsBody) {
  const auto server = StartTestServer(Echo, Patient());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n"));
  EXPECT_EQ(peer.Read(/*bodiless=*/true).status, 200);
  ASSERT_TRUE(peer.Send("nonsense\r\n\r\n"));
  ExpectRefused(peer, 400);
}

Response Refusal() {
  Response response;
  response.status = 401;
  return response;
}

TEST(ServerLimits, BlameThatComesTooFastWaitsAndHoldsUpNobodyElse) {
  ServerOptions options = Patient();
  options.unauthorized_per_second = 1;
  Latch blamed;
  const auto server = StartTestServer(
      [&](const Request& request, const std::shared_ptr<Responder>& responder) {
        if (request.path == "/good") return responder->Send({.headers = {}, .body = "x"});
        responder->Send(Refusal());
        blamed.Hit();
      },
      options);
  TestPeer guesser(server->port()), good(server->port());
  std::string all;
  for (int i = 0; i < 7; ++i) all += Get("/bad");
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(guesser.Send(all));
  for (int i = 0; i < 5; ++i) ASSERT_EQ(guesser.Read().status, 401);
  // The sixth is held back, and the seventh is not even begun; of this address too, all else goes
  // on.
  ASSERT_TRUE(blamed.WaitFor(6));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(good.Send(Get("/good")));
    ASSERT_EQ(good.Read().status, 200);
  }
  EXPECT_EQ(blamed.hits(), 6);
  EXPECT_EQ(guesser.Read().status, 401);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(900));
}

TEST(ServerLimits, HeldBackAnswersAreSentWhenTheServerDrains) {
  ServerOptions options = Patient();
  options.unauthorized_per_second = 1;
  Latch blamed;
  const auto server = StartTestServer(
      [&](const Request&, const std::shared_ptr<Responder>& responder) {
        responder->Send(Refusal());
        blamed.Hit();
      },
      options);
  TestPeer stays(server->port());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(stays.Send(Get("/")));
    ASSERT_EQ(stays.Read().status, 401);
  }
  {
    TestPeer goes(server->port());
    ASSERT_TRUE(goes.Send(Get("/")));
    ASSERT_TRUE(blamed.WaitFor(6));
  }
  ASSERT_TRUE(stays.Send(Get("/")));
  ASSERT_TRUE(blamed.WaitFor(7));
  EXPECT_TRUE(server->Drain(kTestDeadline));
  EXPECT_EQ(stays.Read().status, 401);
  EXPECT_LE(server->open_connections(), 1u);  // the one that left is gone
}

TEST(ServerLimits, ErrorsAreWordedByTheOwner) {
  ServerOptions options = Patient();
  options.error_body = [](int status, std::string_view message) {
    EXPECT_FALSE(message.empty());
    return R"({"code":)" + std::to_string(status) + "}";
  };
  const auto server = StartTestServer(Echo, options);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("nonsense\r\n\r\n"));
  EXPECT_EQ(peer.Read().body, R"({"code":400})");
}

TEST(ServerLimits, HeaderBytes) {
  ServerOptions options = Patient();
  options.max_header_bytes = 4096;
  const auto server = StartTestServer(Echo, options);
  const std::string start = "GET / HTTP/1.1\r\nHost: t\r\nA: ";
  const size_t fits = options.max_header_bytes - start.size() - 4;
  {
    TestPeer peer(server->port());
    ASSERT_TRUE(peer.Send(start + std::string(fits, 'a') + "\r\n\r\n"));
    EXPECT_EQ(peer.Read().status, 200);
    ASSERT_TRUE(peer.Send(start + std::string(fits + 1, 'a') + "\r\n\r\n"));
    ExpectRefused(peer, 431);
  }
  {
    TestPeer peer(server->port());  // Without an end in sight.
    ASSERT_TRUE(peer.Send(start + std::string(5000, 'a')));
    ExpectRefused(peer, 431);
  }
  {
    TestPeer peer(server->port());
    ASSERT_TRUE(peer.Send("GET /" + std::string(5000, 'a')));
    ExpectRefused(peer, 414);
  }
}

TEST(ServerLimits, ALongTargetIsRefused) {
  const auto server = StartTestServer(Echo, Patient());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get(std::string(9000, '/'))));
  ExpectRefused(peer, 414);
}

TEST(ServerLimits, AHundredMegabytesAreRefusedByTheirHeader) {
  const auto server = StartTestServer(Echo, Patient());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 104857600\r\n\r\n"));
  ExpectRefused(peer, 413);  // Without a byte of it sent.
}

TEST(ServerLimits, AHundredMegabytesSentRegardlessDoNotHideTheAnswer) {
  const auto server = StartTestServer(Echo, Patient());
  TestPeer peer(server->port());
  std::thread sender([&] {
    if (!peer.Send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")) return;
    const std::string chunk = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
    for (int i = 0; i < 100 && peer.Send(chunk); ++i) continue;
    peer.EndSending();
  });
  EXPECT_EQ(peer.Read().status, 413);
  sender.join();
  EXPECT_NE(peer.WaitEnd(), TestPeer::End::kTimeout);
}

TEST(ServerLimits, ABodyOfExactlyTheLimitIsTaken) {
  ServerOptions options = Patient();
  options.max_body_bytes = 1000;
  const auto server = StartTestServer(Echo, options);
  const std::string body(1000, 'b');
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n" + body));
  EXPECT_EQ(peer.Read().body, "POST /? " + body);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_TRUE(peer.Send(chunked + "3e8\r\n" + body + "\r\n0\r\n\r\n"));
  EXPECT_EQ(peer.Read().body, "POST /? " + body);
  ASSERT_TRUE(peer.Send(chunked + "3e8\r\n" + body + "\r\n1\r\n"));
  ExpectRefused(peer, 413);
}

TEST(ServerLimits, TheLimitOfABodyMayFollowItsRequest) {
  ServerOptions options = Patient();
  options.max_body_bytes = 10;
  options.body_limit = [](const Request& head) { return head.path == "/large" ? 1000u : 10u; };
  const auto server = StartTestServer(Echo, options);
  const std::string rest =
      " HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'b');
  TestPeer large(server->port());
  ASSERT_TRUE(large.Send("POST /large" + rest));
  EXPECT_EQ(large.Read().status, 200);
  TestPeer small(server->port());
  ASSERT_TRUE(small.Send("POST /small" + rest));
  EXPECT_EQ(small.Read().status, 413);
}

TEST(ServerLimits, ABodyThatIsNotWantedIsNotWaitedFor) {
  ServerOptions options = Patient();
  Latch asked;
  options.wants_body = [&](const Request& head) {
    asked.Hit();
    return head.path != "/unwanted";
  };
  const auto server = StartTestServer(Echo, options);
  for (const std::string framing :
       {"Content-Length: 1000000", "Transfer-Encoding: chunked", "Content-Length: 5"}) {
    TestPeer peer(server->port());
    asked.Reset();
    ASSERT_TRUE(peer.Send("POST /unwanted HTTP/1.1\r\nHost: t\r\n" + framing + "\r\n\r\n"));
    const Answer answer = peer.Read();  // Without a byte of it sent.
    EXPECT_EQ(answer.body, "POST /unwanted? ");
    EXPECT_EQ(answer.Header("Connection"), "close");
    EXPECT_EQ(asked.hits(), 1);
    peer.Send("hello" + Get("/smuggled"));
    EXPECT_EQ(peer.ReadToEnd(), "");
    EXPECT_NE(peer.WaitEnd(), TestPeer::End::kTimeout);
  }
  TestPeer peer(server->port());
  asked.Reset();
  ASSERT_TRUE(peer.Send("POST /wanted HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n"));
  ASSERT_TRUE(asked.WaitFor(1));
  ASSERT_TRUE(peer.Send("hello"));
  EXPECT_EQ(peer.Read().body, "POST /wanted? hello");
  // What came with its head costs nothing to take.
  ASSERT_TRUE(peer.Send("POST /unwanted HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(peer.Read().body, "POST /unwanted? hello");
  EXPECT_EQ(asked.hits(), 1);
}

TEST(ServerLimits, BodiesInFlightAreBoundedTogether) {
  ServerOptions options = Patient();
  options.max_total_body_bytes = 100'000;
  const auto server = StartTestServer(Echo, options);
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 90000\r\n\r\n";
  TestPeer first(server->port());
  ASSERT_TRUE(
      first.Send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
                 "Content-Length: 90000\r\n\r\n"));
  first.ReadUntil("\r\n\r\n");
  ASSERT_TRUE(first.Send(std::string(60'000, 'a')));
  // Until the first part has been taken, the second may pass; it is tried until it does not.
  for (int tries = 0;; ++tries) {
    TestPeer second(server->port());
    ASSERT_TRUE(second.Send(head + std::string(90'000, 'b')));
    const Answer answer = second.Read();
    if (answer.status == 200 && tries < 10'000) continue;
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.Header("Retry-After"), "1");
    break;
  }
  ASSERT_TRUE(first.Send(std::string(30'000, 'a')));
  EXPECT_EQ(first.Read().status, 200);
  TestPeer third(server->port());  // What was refused and what was done count no more.
  ASSERT_TRUE(third.Send(head + std::string(90'000, 'c')));
  EXPECT_EQ(third.Read().status, 200);
}

TEST(ServerLimits, TooManyConnectionsAreTurnedAway) {
  ServerOptions options = Patient();
  options.max_connections = 3;
  const auto server = StartTestServer(Echo, options);
  std::vector<TestPeer> peers;
  for (int i = 0; i < 3; ++i) {
    peers.emplace_back(server->port());
    ASSERT_TRUE(peers.back().Send(Get("/")));
    EXPECT_EQ(peers.back().Read().status, 200);
  }
  for (int i = 0; i < 3; ++i) {
    TestPeer over(server->port());
    over.Send(Get("/"));
    const Answer answer = over.Read();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.Header("Retry-After"), "1");
    EXPECT_NE(over.WaitEnd(), TestPeer::End::kTimeout);
  }
  for (TestPeer& peer : peers) {
    ASSERT_TRUE(peer.Send(Get("/")));
    EXPECT_EQ(peer.Read().status, 200);
  }
  peers.clear();
  for (int tries = 0;; ++tries) {  // There is room again once the server has seen them go.
    TestPeer next(server->port());
    next.Send(Get("/"));
    if (next.Read().status == 200) break;
    ASSERT_LT(tries, 10'000);
  }
}

TEST(ServerLimits, OneAddressDoesNotHoldAllConnections) {
  ServerOptions options = Patient();
  options.max_connections_per_address = 2;
  const auto server = StartTestServer(Echo, options);
  const auto status = [](TestPeer& peer) {
    peer.Send(Get("/"));
    return peer.Read().status;
  };
  std::vector<TestPeer> peers;
  for (int i = 0; i < 2; ++i) {
    peers.emplace_back(server->port());
    EXPECT_EQ(status(peers.back()), 200);
  }
  TestPeer over(server->port());
  EXPECT_EQ(status(over), 503);
  EXPECT_NE(over.WaitEnd(), TestPeer::End::kTimeout);
  TestPeer other(server->port(), 0, INADDR_LOOPBACK + 1);
  EXPECT_EQ(status(other), 200);
  for (TestPeer& peer : peers) EXPECT_EQ(status(peer), 200);
  peers.clear();
  for (int tries = 0;; ++tries) {  // There is room again once the server has seen them go.
    TestPeer next(server->port());
    if (status(next) == 200) break;
    ASSERT_LT(tries, 10'000);
  }
}

TEST(ServerLimits, ADripFedHeaderTimesOut) {
  ServerOptions options = Patient();
  options.header_timeout = milliseconds(100);
  const auto server = StartTestServer(Echo, options);
  TestPeer peer(server->port());
  // Byte after byte for as long as the server listens: each must not extend the time.
  ASSERT_TRUE(peer.Send("GET / HTTP/1.1\r\nA: "));
  pollfd answered{peer.fd(), POLLIN, 0};
  const auto start = std::chrono::steady_clock::now();
  while (poll(&answered, 1, 5) == 0 && peer.Send("a")) {
    ASSERT_LT(std::chrono::steady_clock::now() - start, kTestDeadline);
  }
  ExpectRefused(peer, 408);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(100));
}

// Sends one byte after the other of a field until `age` has passed since its first.
void Dawdle(TestPeer& peer, milliseconds age) {
  const auto end = std::chrono::steady_clock::now() + age;
  pollfd answered{peer.fd(), POLLIN, 0};
  ASSERT_TRUE(peer.Send("GET /slow HTTP/1.1\r\nHost: t\r\nA: "));
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_EQ(poll(&answered, 1, 5), 0);
    ASSERT_TRUE(peer.Send("a"));
  }
}

TEST(ServerLimits, BytesOfASlowHeadWakeNobodyButAreSeen) {
  const auto server = StartTestServer(Echo, Patient());
  TestPeer prompt(server->port());
  bool waited = false;
  // A machine that stops for a while in between says nothing, so it may try again.
  for (int turn = 0; turn < 5 && !waited; ++turn) {
    TestPeer slow(server->port());
    Dawdle(slow, milliseconds(300));
    ASSERT_TRUE(slow.Send("\r\n\r\n"));
    ASSERT_TRUE(prompt.Send(Get("/prompt")));
    EXPECT_EQ(prompt.Read().status, 200);
    pollfd answered{slow.fd(), POLLIN, 0};
    waited = poll(&answered, 1, 0) == 0;
    EXPECT_EQ(slow.Read().body, "GET /slow? ");
    // What follows on this connection is prompt again.
    ASSERT_TRUE(slow.Send(Get("/again")));
    EXPECT_EQ(slow.Read().body, "GET /again? ");
  }
  EXPECT_TRUE(waited);
}

TEST(ServerLimits, ASlowHeadThatIsWholeInTimeIsServed) {
  ServerOptions options = Patient();
  options.header_timeout = milliseconds(1600);
  const auto server = StartTestServer(Echo, options);
  TestPeer peer(server->port());
  Dawdle(peer, milliseconds(900));  // When it is looked at again, its time is over.
  ASSERT_TRUE(peer.Send("\r\n\r\n"));
  EXPECT_EQ(peer.Read().body, "GET /slow? ");
}

TEST(ServerLimits, ManySlowHeadsEndInTheirTime) {
  ServerOptions options = Patient();
  options.header_timeout = milliseconds(200);
  const auto server = StartTestServer(Echo, options);
  std::vector<TestPeer> peers;
  for (int i = 0; i < 100; ++i) {
    peers.emplace_back(server->port());
    ASSERT_TRUE(peers.back().Send("GET / HTTP"));
  }
  for (TestPeer& peer : peers) ExpectRefused(peer, 408);
}

TEST(ServerLimits, ABodyThatStopsTimesOut) {
  ServerOptions options = Patient();
  options.body_timeout = milliseconds(50);
  const auto server = StartTestServer(Echo, options);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nabc"));
  ExpectRefused(peer, 408);
}

TEST(ServerLimits, AnIdleConnectionIsClosedWithoutAWord) {
  ServerOptions options = Patient();
  options.idle_timeout = milliseconds(50);
  const auto server = StartTestServer(Echo, options);
  TestPeer silent(server->port());
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/")));
  EXPECT_EQ(peer.Read().status, 200);
  EXPECT_EQ(peer.ReadToEnd(), "");
  EXPECT_EQ(peer.WaitEnd(), TestPeer::End::kClosed);
  EXPECT_EQ(silent.WaitEnd(), TestPeer::End::kClosed);
}

TEST(ServerLimits, AnAnswerUnderWayIsNotIdle) {
  ServerOptions options = Patient();
  options.idle_timeout = options.header_timeout = options.body_timeout = milliseconds(20);
  std::shared_ptr<Responder> kept;
  Latch handled;
  const auto server = StartTestServer(
      [&](Request, std::shared_ptr<Responder> responder) {
        kept = std::move(responder);
        handled.Hit();
      },
      options);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send(Get("/")));
  ASSERT_TRUE(handled.WaitFor(1));
  // Another connection outlives its idle time meanwhile, so that time has surely passed.
  TestPeer other(server->port());
  EXPECT_EQ(other.WaitEnd(), TestPeer::End::kClosed);
  kept->Send(Text("late"));
  EXPECT_EQ(peer.Read().body, "late");
}

TEST(ServerLimits, APeerThatNeverReadsIsCutInTime) {
  ServerOptions options = Patient();
  options.write_timeout = milliseconds(50);
  options.max_unsent_bytes = 1u << 30;
  Latch gone;
  const auto server = StartTestServer(
      [&](Request, std::shared_ptr<Responder> responder) {
        responder->OnDisconnect([&] { gone.Hit(); });
        responder->Begin(Text(""));
        responder->Write(std::string(64u << 20, 'x'));
        // Kept by its own callback, as an unfinished answer would be by the engine.
        responder->OnDisconnect([&gone, responder] { gone.Hit(); });
      },
      options);
  TestPeer peer(server->port(), 4096);
  ASSERT_TRUE(peer.Send(Get("/")));
  EXPECT_TRUE(gone.WaitFor(1));
}

TEST(ServerLimits, WriteSaysNoOncePeersReadTooSlowly) {
  ServerOptions options = Patient();
  options.max_unsent_bytes = 1u << 20;
  Latch gone;
  size_t accepted = 0;
  Latch done;
  std::thread writer;
  const auto server = StartTestServer(
      [&](Request, std::shared_ptr<Responder> responder) {
        writer = std::thread([&, responder] {
          responder->OnDisconnect([&] { gone.Hit(); });
          responder->Begin(Text(""));
          while (responder->Write(std::string(1000, 'x')) && accepted < (1u << 30)) {
            accepted += 1000;
          }
          EXPECT_FALSE(responder->Write("more"));
          responder->End();  // Does not make it whole.
          done.Hit();
        });
      },
      options);
  TestPeer peer(server->port(), 4096);
  ASSERT_TRUE(peer.Send(Get("/")));
  ASSERT_TRUE(done.WaitFor(1));
  writer.join();
  // The limit, and what the kernel keeps (tcp_wmem: 4 MiB, and the peer's buffer).
  EXPECT_LT(accepted, 32u << 20);
  EXPECT_TRUE(gone.WaitFor(1));
  EXPECT_FALSE(peer.ReadToEnd().ends_with("0\r\n\r\n"));
  EXPECT_EQ(peer.WaitEnd(), TestPeer::End::kReset);
}

}  // namespace
}  // namespace jikji::net
