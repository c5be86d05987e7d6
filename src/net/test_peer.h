// What the tests of net/ talk to a server with: a raw socket whose every wait has a deadline, and a
// latch for events on other threads. Test code only.
#ifndef JIKJI_NET_TEST_PEER_H_
#define JIKJI_NET_TEST_PEER_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "net/message.h"
#include "net/server.h"

namespace jikji::net {

// Long enough for a sanitizer build on a busy machine; no test waits for it when all is well.
inline constexpr std::chrono::seconds kTestDeadline{20};

// Counts up; somebody waits for a number.
class Latch {
 public:
  void Hit() {
    std::lock_guard lock(mutex_);
    ++hits_;
    changed_.notify_all();
  }
  bool WaitFor(int hits) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTestDeadline, [&] { return hits_ >= hits; });
  }
  void Reset() {
    std::lock_guard lock(mutex_);
    hits_ = 0;
  }
  int hits() {
    std::lock_guard lock(mutex_);
    return hits_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int hits_ = 0;
};

struct Answer {
  int status = 0;  // 0: none came
  Headers headers;
  std::string body;

  std::string_view Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (EqualIgnoringCase(key, name)) return value;
    }
    return {};
  }
};

class TestPeer {
 public:
  enum class End { kClosed, kReset, kTimeout };

  // `from`: the peer's own address, of this machine.
  explicit TestPeer(uint16_t port, int receive_buffer = 0, uint32_t from = INADDR_LOOPBACK) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return;
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(from);
    if (from != INADDR_LOOPBACK) {
      EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Close();
  }
  TestPeer(TestPeer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), unread_(std::move(other.unread_)) {}
  TestPeer& operator=(TestPeer&&) = delete;
  ~TestPeer() { Close(); }

  bool connected() const { return fd_ >= 0; }

  // False once the server has closed.
  bool Send(std::string_view data) {
    while (!data.empty()) {
      const ssize_t count = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (count < 0) return false;
      data.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // What fits without waiting.
  size_t SendSome(std::string_view data) {
    const ssize_t count = send(fd_, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 ? 0 : static_cast<size_t>(count);
  }

  void EndSending() { shutdown(fd_, SHUT_WR); }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  void Reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }

  // Reads until `text` has come; what was read up to its end, or all there was.
  std::string ReadUntil(std::string_view text) {
    for (;;) {
      const size_t at = unread_.find(text);
      if (at != std::string::npos) return TakeFront(at + text.size());
      if (!More()) return TakeFront(unread_.size());
    }
  }

  // The next answer; its body as the head frames it (`bodiless`: an answer to HEAD).
  Answer Read(bool bodiless = false) {
    Answer answer;
    const auto head = ParseResponseHead(ReadUntil("\r\n\r\n"));
    if (!head) return answer;
    answer.status = head->status;
    answer.headers = head->headers;
    if (bodiless || IsBodiless(answer.status)) return answer;
    if (head->chunked) {
      answer.body = ReadUntil("0\r\n\r\n");
    } else if (head->content_length) {
      while (unread_.size() < *head->content_length && More()) continue;
      answer.body = TakeFront(std::min<size_t>(*head->content_length, unread_.size()));
    } else {
      answer.body = ReadToEnd();
    }
    return answer;
  }

  std::string ReadToEnd() {
    while (More()) continue;
    return TakeFront(unread_.size());
  }

  // How the connection ends, whatever comes before.
  End WaitEnd() {
    ReadToEnd();
    return end_;
  }

  int fd() const { return fd_; }

 private:
  bool More() {
    if (ended_) return false;
    pollfd item{fd_, POLLIN, 0};
    const auto wait = std::chrono::milliseconds(kTestDeadline).count();
    if (poll(&item, 1, static_cast<int>(wait)) <= 0) {
      end_ = End::kTimeout;
      return false;
    }
    char buffer[16384];
    const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) {
      ended_ = true;
      end_ = count == 0 ? End::kClosed : End::kReset;
      return false;
    }
    unread_.append(buffer, static_cast<size_t>(count));
    return true;
  }

  std::string TakeFront(size_t count) {
    std::string front = unread_.substr(0, count);
    unread_.erase(0, count);
    return front;
  }

  int fd_ = -1;
  End end_ = End::kTimeout;
  bool ended_ = false;
  std::string unread_;
};

inline std::unique_ptr<Server> StartTestServer(Handler handler, ServerOptions options = {}) {
  options.port = 0;
  auto server = Server::Start(std::move(options), std::move(handler));
  if (!server) {
    ADD_FAILURE() << server.error().ToString();
    std::abort();  // A test without a server can say nothing more.
  }
  return *std::move(server);
}

inline Response Text(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

// Answers "METHOD path?query body".
inline void Echo(Request request, std::shared_ptr<Responder> responder) {
  responder->Send(
      Text(request.method + " " + request.path + "?" + request.query + " " + request.body));
}

inline std::string Get(std::string_view path, std::string_view fields = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) + "\r\n";
}

}  // namespace jikji::net

#endif  // JIKJI_NET_TEST_PEER_H_
