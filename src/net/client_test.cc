#include "net/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "net/test_peer.h"

namespace jikji::net {
namespace {

using std::chrono::milliseconds;

std::string UrlOf(const Server& server, std::string_view path) {
  std::string url = "http://127.0.0.1:";
  url += std::to_string(server.port());
  url += path;
  return url;
}

// Answers one connection with fixed bytes, then closes (or, with `hold`, waits for the peer to).
class CannedServer {
 public:
  explicit CannedServer(std::string answer, bool hold = false) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer), hold] {
      const int peer = accept(listener_, nullptr, nullptr);
      char buffer[4096];
      recv(peer, buffer, sizeof buffer, 0);
      send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
      if (hold) recv(peer, buffer, sizeof buffer, 0);
      close(peer);
    });
  }
  ~CannedServer() {
    thread_.join();
    close(listener_);
  }
  std::string url() const {
    std::string url = "http://localhost:";
    url += std::to_string(port_);
    return url;
  }

 private:
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST(Client, FetchesWholeAnswers) {
  const auto server = StartTestServer([](Request request, std::shared_ptr<Responder> responder) {
    Response response = Text(request.method + request.path + request.query + request.body);
    response.headers.emplace_back("X-Echo", request.Header("X-Ask"));
    responder->Send(std::move(response));
  });
  const auto get =
      Fetch({.method = "GET", .url = UrlOf(*server, "/a?b#c"), .headers = {}, .body = {}});
  ASSERT_TRUE(get) << get.error().ToString();
  EXPECT_EQ(get->status, 200);
  EXPECT_EQ(get->content_type, "text/plain");
  EXPECT_EQ(get->body, "GET/ab");
  const std::string big(5'000'000, 'x');
  const auto post = Fetch(
      {.method = "POST", .url = UrlOf(*server, ""), .headers = {{"X-Ask", "hello"}}, .body = big});
  ASSERT_TRUE(post) << post.error().ToString();
  EXPECT_TRUE(post->body == "POST/" + big);
  bool echoed = false;
  for (const auto& [name, value] : post->headers) echoed |= name == "X-Echo" && value == "hello";
  EXPECT_TRUE(echoed);
}

TEST(Client, StreamsPiecesAndStopsWhenTold) {
  Latch gone;
  const auto server = StartTestServer([&](Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/error") return responder->Send(Text("no", 429));
    responder->Begin(Text(""));
    for (int i = 0; i < 10; ++i) responder->Write("data: " + std::to_string(i) + "\n\n");
    if (request.path == "/whole") return responder->End();
    responder->OnDisconnect([&gone, responder] { gone.Hit(); });
  });
  SseParser parser;
  std::string events;
  const auto whole =
      FetchStream({.method = "GET", .url = UrlOf(*server, "/whole"), .headers = {}, .body = {}},
                  [&](std::string_view piece) {
                    parser.Feed(piece, [&](std::string_view data) { events += data; });
                    return true;
                  });
  ASSERT_TRUE(whole) << whole.error().ToString();
  EXPECT_EQ(events, "0123456789");
  EXPECT_EQ(whole->body, "");
  const auto stopped =
      FetchStream({.method = "GET", .url = UrlOf(*server, "/endless"), .headers = {}, .body = {}},
                  [](std::string_view) { return false; });
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(gone.WaitFor(1));  // Stopping closes the connection, so the server hears of it.
  const auto error =
      FetchStream({.method = "GET", .url = UrlOf(*server, "/error"), .headers = {}, .body = {}},
                  [](std::string_view) {
                    ADD_FAILURE() << "an error is no stream";
                    return true;
                  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->status, 429);
  EXPECT_EQ(error->body, "no");
}

TEST(Client, ABodyIsReadWhenTheCallerIsReady) {
  const std::string big = [] {
    std::string out(3'000'000, '\0');
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(i % 251);
    return out;
  }();
  const auto server = StartTestServer([&](Request request, std::shared_ptr<Responder> responder) {
    Response response = Text(request.path == "/big" ? big : "not here");
    if (request.path == "/missing") response.status = 404;
    responder->Send(std::move(response));
  });
  ConnectionPool pool;
  ClientOptions options;
  options.pool = &pool;
  const auto open = [&](const char* path) {
    return BodyReader::Open(
        {.method = "GET", .url = UrlOf(*server, path), .headers = {}, .body = {}}, options);
  };
  for (int round = 0; round < 2; ++round) {  // the second on the connection of the first
    auto body = open("/big");
    ASSERT_TRUE(body) << body.error().ToString();
    EXPECT_EQ(body->left(), big.size());
    std::string got;
    while (body->left() > 0) {
      std::string part(std::min<uint64_t>(body->left(), 1'000'001), '\0');
      ASSERT_TRUE(body->Read(part));
      got += part;
    }
    EXPECT_TRUE(got == big);
  }
  const auto missing = open("/missing");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->response().status, 404);
  EXPECT_EQ(missing->response().body, "not here");
  EXPECT_EQ(missing->left(), 0u);
}

TEST(Client, ADeadlineEndsAnAnswerThatTrickles) {
  std::atomic<bool> stop = false;
  std::thread trickle;
  const auto server = StartTestServer([&](Request, std::shared_ptr<Responder> responder) {
    trickle = std::thread([&stop, responder] {
      responder->Begin(Text(""));
      while (!stop && responder->Write("x")) std::this_thread::yield();
    });
  });
  ClientOptions options;
  options.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  const auto answer =
      Fetch({.method = "GET", .url = UrlOf(*server, "/"), .headers = {}, .body = {}}, options);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(answer.error().message.find("slow"), std::string::npos) << answer.error().message;
  stop = true;
  trickle.join();
}

TEST(Client, AStreamThatBreaksOffIsAnError) {
  const auto server = StartTestServer([](Request, std::shared_ptr<Responder> responder) {
    responder->Begin(Text(""));
    responder->Write("part");
  });
  EXPECT_FALSE(Fetch({.method = "GET", .url = UrlOf(*server, "/"), .headers = {}, .body = {}}));
}

TEST(Client, ReadsWhatOtherServersSay) {
  const auto body = [](std::string answer) {
    const CannedServer server(std::move(answer));
    const auto got = Fetch({.method = "GET", .url = server.url(), .headers = {}, .body = {}});
    return got ? std::to_string(got->status) + ":" + got->body
               : std::string(ErrorCodeName(got.error().code));
  };
  EXPECT_EQ(body("HTTP/1.0 200 OK\r\n\r\nto the end"), "200:to the end");
  EXPECT_EQ(body("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nokmore"), "200:ok");
  EXPECT_EQ(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
            "201:");
  EXPECT_EQ(body("HTTP/1.1 204 No Content\r\n\r\n"), "204:");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshor"), "unavailable");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n"), "malformed");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"), "unavailable");
  EXPECT_EQ(body("SSH-2.0-OpenSSH\r\n\r\n"), "malformed");
  EXPECT_EQ(body(std::string(100'000, 'x')), "malformed");
  EXPECT_EQ(body(""), "unavailable");
}

TEST(Client, HeadTellsHowLongTheAnswerWouldBe) {
  const CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n");
  const auto got = Fetch({.method = "HEAD", .url = server.url()});
  ASSERT_TRUE(got) << got.error().ToString();
  EXPECT_EQ(got->body, "");
  ASSERT_TRUE(got->file.has_value());
  EXPECT_EQ(got->file->length, 700u);
}

TEST(Client, KeepsItsLimits) {
  ClientOptions options;
  options.max_body_bytes = 3;
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour", "HTTP/1.1 200 OK\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour"}) {
    const CannedServer server(answer);
    const auto got =
        Fetch({.method = "GET", .url = server.url(), .headers = {}, .body = {}}, options);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ErrorCode::kResourceExhausted);
  }
  options.timeout = milliseconds(30);
  const CannedServer silent("HTTP/1.1 200 OK\r\nContent-", /*hold=*/true);
  const auto got =
      Fetch({.method = "GET", .url = silent.url(), .headers = {}, .body = {}}, options);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
}

TEST(Client, APoolKeepsConnectionsOpen) {
  const auto server = StartTestServer([](Request request, std::shared_ptr<Responder> responder) {
    if (request.path != "/stream") return responder->Send(Text(request.body + request.peer));
    responder->Begin(Text(""));
    responder->Write(request.peer);
    responder->End();
  });
  ConnectionPool pool;
  const auto ask = [&](std::string path, std::string body) {
    const auto got = Fetch(
        {.method = "POST", .url = UrlOf(*server, path), .headers = {}, .body = std::move(body)},
        {.pool = &pool});
    EXPECT_TRUE(got) << got.error().ToString();
    return got ? got->body : std::string();
  };
  // The peer's address is the same for as long as the connection is.
  const std::string peer = ask("/", "");
  EXPECT_EQ(ask("/", "body"), "body" + peer);
  EXPECT_EQ(ask("/stream", ""), peer);
  EXPECT_EQ(ask("/", std::string(200'000, 'x')).size(), 200'000 + peer.size());
  EXPECT_EQ(ask("/", ""), peer);
  // Stopping a stream leaves its connection unfit for another.
  EXPECT_TRUE(FetchStream({.url = UrlOf(*server, "/stream")},
                          [](std::string_view) { return false; }, {.pool = &pool}));
  EXPECT_NE(ask("/", ""), peer);
}

TEST(Client, AKeptConnectionThatTheServerClosedIsNotAnError) {
  auto server = StartTestServer(Echo);
  const uint16_t port = server->port();
  const std::string url = UrlOf(*server, "/");
  ConnectionPool pool;
  ASSERT_TRUE(Fetch({.url = url}, {.pool = &pool}));
  server.reset();
  EXPECT_FALSE(Fetch({.url = url}, {.pool = &pool}));
  ServerOptions options;
  options.port = port;
  const auto again = Server::Start(options, Echo);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_TRUE(Fetch({.url = url}, {.pool = &pool}));
}

TEST(Client, AKeptConnectionThatClosesUnderTheRequestIsTriedOnceMore) {
  // The first answer keeps the connection; it closes on the second request, and the third socket
  // is there for what is sent again.
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::thread peer([listener] {
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char buffer[4096];
    const int first = accept(listener, nullptr, nullptr);
    recv(first, buffer, sizeof buffer, 0);
    send(first, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    recv(first, buffer, sizeof buffer, 0);
    close(first);
    const int second = accept(listener, nullptr, nullptr);
    recv(second, buffer, sizeof buffer, 0);
    send(second, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    close(second);
  });
  ConnectionPool pool;
  std::string url = "http://127.0.0.1:";
  url += std::to_string(ntohs(address.sin_port));
  for (int i = 0; i < 2; ++i) {
    const auto got = Fetch({.url = url}, {.pool = &pool});
    ASSERT_TRUE(got) << got.error().ToString();
    EXPECT_EQ(got->body, "ok");
  }
  peer.join();
  close(listener);
}

TEST(Client, IsCancelledFromAnotherThread) {
  Latch asked, gone;
  const auto server = StartTestServer([&](Request, std::shared_ptr<Responder> responder) {
    asked.Hit();
    responder->OnDisconnect([&gone, responder] { gone.Hit(); });
  });
  Cancellation cancellation;
  std::thread canceller([&] {
    EXPECT_TRUE(asked.WaitFor(1));
    cancellation.Cancel();
  });
  const auto got = Fetch({.url = UrlOf(*server, "/")}, {.cancellation = &cancellation});
  canceller.join();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(gone.WaitFor(1));
  EXPECT_FALSE(Fetch({.url = UrlOf(*server, "/")}, {.cancellation = &cancellation}));
}

TEST(Client, SaysWhatIsWrongWithAUrl) {
  for (const char* url : {"", "host", "ftp://host/", "http://", "http:///path", "http://h:0/",
                          "http://h:99999/", "http://h:8o/", "http://h:/", "http://[::1/",
                          "http://u@h/", "http://h/a b", "http://h/\r\nX: y"}) {
    const auto got = Fetch({.method = "GET", .url = url, .headers = {}, .body = {}});
    ASSERT_FALSE(got) << url;
    EXPECT_EQ(got.error().code, ErrorCode::kInvalidArgument) << url;
  }
  EXPECT_FALSE(Fetch({.method = "GET",
                      .url = "http://127.0.0.1:1/",
                      .headers = {{"A", "b\r\nC: d"}},
                      .body = {}}));
}

TEST(Client, NobodyListening) {
  uint16_t port = 0;
  { port = StartTestServer(Echo)->port(); }
  std::string url = "http://127.0.0.1:";
  url += std::to_string(port);
  const auto got = Fetch({.method = "GET", .url = url, .headers = {}, .body = {}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(got.error().message.find("connect"), std::string::npos) << got.error().message;
}

}  // namespace
}  // namespace jikji::net
