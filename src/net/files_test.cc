// Answers from files, and bodies that a sink takes.
#include <gtest/gtest.h>

#include <fstream>

#include "net/client.h"
#include "net/test_peer.h"

namespace jikji::net {
namespace {

namespace fs = std::filesystem;

class NetFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = fs::temp_directory_path() / "jikji_net_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    for (size_t i = 0; i < 9'000'000; ++i) bytes_ += static_cast<char>(i * 2654435761u >> 13);
    std::ofstream(folder_ / "file", std::ios::binary) << bytes_;
    auto file = OpenFile::Open(folder_ / "file");
    ASSERT_TRUE(file.has_value());
    file_ = std::make_shared<const OpenFile>(*std::move(file));
  }
  void TearDown() override { fs::remove_all(folder_); }

  Handler Serve(uint64_t offset, uint64_t length) const {
    return [file = file_, offset, length](Request request, std::shared_ptr<Responder> responder) {
      Response response;
      response.file = {request.method == "HEAD" ? nullptr : file, offset, length};
      responder->Send(std::move(response));
    };
  }
  static std::string Url(const Server& server) {
    return "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  }

  fs::path folder_;
  std::string bytes_;
  std::shared_ptr<const OpenFile> file_;
};

TEST_F(NetFiles, AnAnswerIsAPartOfAFile) {
  const auto server = StartTestServer(Serve(1'000, 8'000'001));
  const auto answer = Fetch({.url = Url(*server), .headers = {}, .body = {}});
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_EQ(answer->body, bytes_.substr(1'000, 8'000'001));
}

// Bytes that are in no file; past `end` they cannot be read.
class Computed final : public ByteSource {
 public:
  Computed(uint64_t size, uint64_t end) : size_(size), end_(end) {}
  uint64_t size() const override { return size_; }
  Result<> Read(uint64_t offset, std::span<char> into) const override {
    if (offset + into.size() > end_) return Fail(ErrorCode::kIo, "damaged");
    for (char& byte : into) byte = static_cast<char>(offset++ * 2654435761u >> 13);
    return {};
  }

 private:
  uint64_t size_;
  uint64_t end_;
};

Handler ServeComputed(uint64_t end, uint64_t offset, uint64_t length) {
  return [=](Request request, std::shared_ptr<Responder> responder) {
    Response response;
    response.file = {std::make_shared<const Computed>(9'000'000, end), offset, length};
    responder->Send(std::move(response));
  };
}

TEST_F(NetFiles, AnAnswerMayBeComputedAsItIsSent) {
  const auto server = StartTestServer(ServeComputed(9'000'000, 1'000, 8'000'001));
  EXPECT_EQ(Fetch({.url = Url(*server), .headers = {}, .body = {}})->body,
            bytes_.substr(1'000, 8'000'001));
  TestPeer peer(server->port());
  for (int i = 0; i < 2; ++i) {  // pipelined
    ASSERT_TRUE(peer.Send(Get("/") + Get("/")));
    EXPECT_EQ(peer.Read().body, bytes_.substr(1'000, 8'000'001));
    EXPECT_EQ(peer.Read().body, bytes_.substr(1'000, 8'000'001));
  }
}

TEST_F(NetFiles, WhatCannotBeComputedCutsTheAnswer) {
  const auto server = StartTestServer(ServeComputed(3'000'000, 0, 9'000'000));
  EXPECT_FALSE(Fetch({.url = Url(*server), .headers = {}, .body = {}}).has_value());
}

TEST_F(NetFiles, HeadTellsTheLengthAndTheConnectionGoesOn) {
  const auto server = StartTestServer(Serve(5, 100'000));
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n"));
  const Answer head = peer.Read(/*bodiless=*/true);
  EXPECT_EQ(head.Header("Content-Length"), "100000");
  for (int i = 0; i < 2; ++i) {  // pipelined
    ASSERT_TRUE(peer.Send(Get("/") + Get("/")));
    EXPECT_EQ(peer.Read().body, bytes_.substr(5, 100'000));
    EXPECT_EQ(peer.Read().body, bytes_.substr(5, 100'000));
  }
}

TEST_F(NetFiles, AFileThatShrinksCutsTheAnswer) {
  const auto server = StartTestServer(Serve(0, bytes_.size()));
  fs::resize_file(folder_ / "file", 3'000'000);
  const auto answer = Fetch({.url = Url(*server), .headers = {}, .body = {}});
  EXPECT_FALSE(answer.has_value());
}

TEST_F(NetFiles, APeerThatGoesAwayEndsOnlyItsOwnAnswer) {
  const auto server = StartTestServer(Serve(0, bytes_.size()));
  for (int i = 0; i < 3; ++i) {
    TestPeer peer(server->port(), /*receive_buffer=*/4096);
    ASSERT_TRUE(peer.Send(Get("/")));
    peer.ReadUntil("\r\n\r\n");
    peer.Reset();
  }
  EXPECT_EQ(Fetch({.url = Url(*server), .headers = {}, .body = {}})->body.size(), bytes_.size());
}

// Counts; refuses past a limit; tells when it is dropped.
class CountingSink : public BodySink {
 public:
  CountingSink(uint64_t limit, Latch* dropped) : limit_(limit), dropped_(dropped) {}
  ~CountingSink() override {
    if (dropped_ != nullptr) dropped_->Hit();
  }
  bool Write(std::string_view piece) override {
    taken_ += piece.size();
    return taken_ <= limit_;
  }
  uint64_t taken() const { return taken_; }

 private:
  uint64_t limit_;
  Latch* dropped_;
  uint64_t taken_ = 0;
};

TEST_F(NetFiles, ASinkTakesABodyOfAnySize) {
  ServerOptions options;
  options.max_body_bytes = 1000;  // of bodies that are gathered
  options.body_sink = [](const Request& head) -> std::shared_ptr<BodySink> {
    if (head.path != "/sink") return nullptr;
    return std::make_shared<CountingSink>(UINT64_MAX, nullptr);
  };
  const auto server = StartTestServer(
      [](Request request, std::shared_ptr<Responder> responder) {
        const auto* sink = static_cast<CountingSink*>(request.sink.get());
        responder->Send(Text(sink == nullptr ? "none" : std::to_string(sink->taken())));
      },
      options);
  ClientRequest put{.method = "PUT", .url = Url(*server) + "sink", .headers = {}, .body = {}};
  put.file = {file_, 0, bytes_.size()};
  EXPECT_EQ(Fetch(put)->body, std::to_string(bytes_.size()));
  TestPeer peer(server->port());
  ASSERT_TRUE(
      peer.Send("PUT /sink HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n" +
                Get("/other")));
  EXPECT_EQ(peer.Read().body, "7");
  EXPECT_EQ(peer.Read().body, "none");
  put.url = Url(*server) + "other";
  EXPECT_EQ(Fetch(put)->status, 413);
}

TEST_F(NetFiles, ASinkThatWantsNoMoreIsAnsweredAtOnce) {
  ServerOptions options;
  options.body_sink = [](const Request&) { return std::make_shared<CountingSink>(10, nullptr); };
  const auto server = StartTestServer(
      [](Request, std::shared_ptr<Responder> responder) { responder->Send(Text("full", 507)); },
      options);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("PUT / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n" +
                        std::string(100, 'x')));
  const Answer answer = peer.Read();
  EXPECT_EQ(answer.status, 507);
  EXPECT_EQ(answer.Header("Connection"), "close");
}

TEST_F(NetFiles, ABodyThatBreaksOffDropsItsSink) {
  Latch dropped;
  ServerOptions options;
  options.body_sink = [&dropped](const Request&) {
    return std::make_shared<CountingSink>(UINT64_MAX, &dropped);
  };
  const auto server = StartTestServer(Echo, options);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("PUT / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf"));
  peer.EndSending();
  EXPECT_TRUE(dropped.WaitFor(1));
}

}  // namespace
}  // namespace jikji::net
