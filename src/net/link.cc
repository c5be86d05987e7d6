#include "net/link.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "net/cancellation.h"

namespace jikji::net {
namespace {

using std::chrono::milliseconds;

std::unexpected<Error> Broken(const char* what, const WaitLimits& limits) {
  return Fail(ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno),
              limits.where);
}

std::unexpected<Error> TooLate(const WaitLimits& limits) {
  return Fail(ErrorCode::kUnavailable, "the answer is too slow", limits.where);
}

}  // namespace

Result<Url> ParseUrl(const std::string& text) {
  constexpr std::string_view kPlain = "http://", kSecure = "https://";
  const auto bad = [&text](const char* why) {
    return Fail(ErrorCode::kInvalidArgument, why, text);
  };
  Url url;
  url.secure = text.starts_with(kSecure);
  if (!url.secure && !text.starts_with(kPlain)) return bad("a URL starts with http:// or https://");
  const auto control = [](unsigned char c) { return c <= 0x20 || c == 0x7F; };
  if (std::ranges::any_of(text, control)) return bad("a URL holds no spaces; write them as %20");
  std::string_view rest = std::string_view(text).substr((url.secure ? kSecure : kPlain).size());
  rest = rest.substr(0, rest.find('#'));
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  url.authority = rest.substr(0, end);
  url.target = rest.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(url.target.begin(), '/');
  std::string_view host = url.authority;
  if (host.find('@') != std::string_view::npos) return bad("a URL here takes no user name");
  std::string_view port;
  if (host.starts_with('[')) {
    const size_t close = host.find(']');
    if (close == std::string_view::npos) return bad("the URL's host lacks its `]`");
    port = host.substr(close + 1);
    host = host.substr(1, close - 1);
  } else {
    const size_t colon = std::min(host.find(':'), host.size());
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (host.empty()) return bad("the URL names no host");
  uint16_t number = url.secure ? 443 : 80;
  if (!port.empty()) {
    const char* last = port.data() + port.size();
    const auto parsed = std::from_chars(port.data() + 1, last, number);
    if (port[0] != ':' || parsed.ec != std::errc() || parsed.ptr != last || number == 0) {
      return bad("the URL's port is not a number from 1 to 65535");
    }
  }
  url.host = host;
  url.port = std::to_string(number);
  url.origin = std::string(url.secure ? kSecure : kPlain) + url.authority;
  return url;
}

Result<> Link::Connect(const Url& url, const WaitLimits& limits) {
  JIKJI_RETURN_IF_ERROR(ConnectSocket(url, limits));
  if (!url.secure) return {};
  auto session = TlsSession::Begin(fd_, url.host);
  auto greeted = session ? Result<>() : std::unexpected(std::move(session).error());
  while (greeted) {
    const TlsSession::Step step = session->Greet();
    if (step.state == TlsSession::State::kDone) {
      tls_ = *std::move(session);
      return {};
    }
    if (step.state == TlsSession::State::kWait) {
      greeted = Wait(step.events, limits);
    } else {
      greeted = session->WhyNot(limits.where);
    }
  }
  Reset();
  return greeted;
}

Result<> Link::ConnectSocket(const Url& url, const WaitLimits& limits) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found)) {
    return Fail(ErrorCode::kUnavailable, std::string("cannot find the host: ") + gai_strerror(code),
                limits.where);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, freeaddrinfo);
  const auto connect_to = [&](const addrinfo& address) -> Result<> {
    fd_ = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return Broken("cannot open a socket", limits);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return {};
    if (errno != EINPROGRESS) return Broken("cannot connect", limits);
    JIKJI_RETURN_IF_ERROR(Wait(POLLOUT, limits));
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return {};
    errno = error;
    return Broken("cannot connect", limits);
  };
  Result<> last = Fail(ErrorCode::kUnavailable, "the host has no address", limits.where);
  for (const addrinfo* item = found; item != nullptr; item = item->ai_next) {
    last = connect_to(*item);
    if (last) return last;
    Reset();
  }
  return last;
}

bool Link::Quiet() const {
  char byte;
  const ssize_t count = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EINTR);
}

Result<size_t> Link::Send(std::string_view data, const WaitLimits& limits) {
  while (tls_) {
    const TlsSession::Step step = tls_.Write(data);
    if (step.state == TlsSession::State::kDone) return step.bytes;
    if (step.state == TlsSession::State::kFailed) return 0;
    JIKJI_RETURN_IF_ERROR(Wait(step.events, limits));
  }
  for (;;) {
    const ssize_t count = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EPIPE || errno == ECONNRESET) return 0;
    if (errno != EAGAIN && errno != EINTR) return Broken("cannot send", limits);
    if (errno == EAGAIN) JIKJI_RETURN_IF_ERROR(Wait(POLLOUT, limits));
  }
}

Result<size_t> Link::Receive(std::span<char> buffer, const WaitLimits& limits) {
  // A peer that always has another byte never waits.
  if (std::chrono::steady_clock::now() >= limits.deadline) return TooLate(limits);
  while (tls_) {
    const TlsSession::Step step = tls_.Read(buffer.data(), buffer.size());
    if (step.state == TlsSession::State::kDone) return step.bytes;
    if (step.state == TlsSession::State::kFailed) {
      return Fail(ErrorCode::kUnavailable, "the connection broke", limits.where);
    }
    JIKJI_RETURN_IF_ERROR(Wait(step.events, limits));
  }
  for (;;) {
    const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EAGAIN && errno != EINTR) return Broken("the connection broke", limits);
    if (errno == EAGAIN) JIKJI_RETURN_IF_ERROR(Wait(POLLIN, limits));
  }
}

Result<> Link::Wait(short events, const WaitLimits& limits) const {
  const auto deadline =
      std::min(std::chrono::steady_clock::now() + limits.timeout, limits.deadline);
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    // A negative descriptor is passed over.
    const int cancelled = limits.cancellation != nullptr ? limits.cancellation->descriptor() : -1;
    std::array<pollfd, 2> items{pollfd{fd_, events, 0}, pollfd{cancelled, POLLIN, 0}};
    const int ready = poll(items.data(), items.size(),
                           static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30)));
    if (ready > 0 && items[1].revents != 0) {
      return Fail(ErrorCode::kCancelled, "cancelled", limits.where);
    }
    if (ready > 0) return {};
    if (ready == 0) {
      if (std::chrono::steady_clock::now() >= limits.deadline) return TooLate(limits);
      return Fail(ErrorCode::kUnavailable,
                  "no answer within " + std::to_string(limits.timeout.count()) + " ms",
                  limits.where);
    }
    if (errno != EINTR) return Broken("cannot wait", limits);
  }
}

void Link::Reset() {
  tls_ = {};
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace jikji::net
