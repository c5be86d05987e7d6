#include "net/client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "net/chunked.h"
#include "net/message.h"

namespace jikji::net {
namespace {

using std::chrono::milliseconds;

// A head larger than this is no answer of a server that we would talk to.
constexpr size_t kMaxHeadBytes = 64u << 10;
constexpr size_t kReadBytes = 64u << 10;

struct Url {
  std::string host;  // without brackets
  std::string port;
  std::string authority;  // as given: the Host field
  std::string target;
};

Result<Url> ParseUrl(const std::string& text) {
  constexpr std::string_view kScheme = "http://";
  const auto bad = [&text](const char* why) {
    return Fail(ErrorCode::kInvalidArgument, why, text);
  };
  if (text.starts_with("https://")) {
    return Fail(ErrorCode::kUnsupported, "this client speaks http:// only, not https://", text);
  }
  if (!text.starts_with(kScheme)) return bad("a URL starts with http://");
  const auto control = [](unsigned char c) { return c <= 0x20 || c == 0x7F; };
  if (std::ranges::any_of(text, control)) return bad("a URL holds no spaces; write them as %20");
  std::string_view rest = std::string_view(text).substr(kScheme.size());
  rest = rest.substr(0, rest.find('#'));
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  Url url;
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
  uint16_t number = 80;
  if (!port.empty()) {
    const char* last = port.data() + port.size();
    const auto parsed = std::from_chars(port.data() + 1, last, number);
    if (port[0] != ':' || parsed.ec != std::errc() || parsed.ptr != last || number == 0) {
      return bad("the URL's port is not a number from 1 to 65535");
    }
  }
  url.host = host;
  url.port = std::to_string(number);
  return url;
}

// A connected socket whose every wait is bounded.
class Link {
 public:
  explicit Link(milliseconds timeout, std::string where)
      : timeout_(timeout), where_(std::move(where)) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { Reset(); }

  Result<> Connect(const Url& url) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int code = getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found)) {
      return Fail(ErrorCode::kUnavailable,
                  std::string("cannot find the host: ") + gai_strerror(code), where_);
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, freeaddrinfo);
    Result<> last = Fail(ErrorCode::kUnavailable, "the host has no address", where_);
    for (const addrinfo* item = found; item != nullptr; item = item->ai_next) {
      last = ConnectTo(*item);
      if (last) return last;
      Reset();
    }
    return last;
  }

  // How many of `data` were taken; 0 where the peer reads no more (it may have answered already).
  Result<size_t> Send(std::string_view data) {
    for (;;) {
      const ssize_t count = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno == EPIPE || errno == ECONNRESET) return 0;
      if (errno != EAGAIN && errno != EINTR) return Broken("cannot send");
      if (errno == EAGAIN) JIKJI_RETURN_IF_ERROR(Wait(POLLOUT));
    }
  }

  // 0 at the end of the stream.
  Result<size_t> Receive(std::vector<char>& buffer) {
    for (;;) {
      const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EAGAIN && errno != EINTR) return Broken("the connection broke");
      if (errno == EAGAIN) JIKJI_RETURN_IF_ERROR(Wait(POLLIN));
    }
  }

 private:
  Result<> ConnectTo(const addrinfo& address) {
    fd_ = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return Broken("cannot open a socket");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return {};
    if (errno != EINPROGRESS) return Broken("cannot connect");
    JIKJI_RETURN_IF_ERROR(Wait(POLLOUT));
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return {};
    errno = error;
    return Broken("cannot connect");
  }

  Result<> Wait(short events) {
    const auto deadline = std::chrono::steady_clock::now() + timeout_;
    for (;;) {
      const auto left =
          std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd item{fd_, events, 0};
      const int ready =
          poll(&item, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30)));
      if (ready > 0) return {};
      if (ready == 0) {
        return Fail(ErrorCode::kUnavailable,
                    "no answer within " + std::to_string(timeout_.count()) + " ms", where_);
      }
      if (errno != EINTR) return Broken("cannot wait");
    }
  }

  std::unexpected<Error> Broken(const char* what) {
    return Fail(ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno), where_);
  }

  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  milliseconds timeout_;
  std::string where_;
  int fd_ = -1;
};

bool HasField(const Headers& headers, std::string_view name) {
  return std::ranges::any_of(
      headers, [name](const auto& field) { return EqualIgnoringCase(field.first, name); });
}

Result<std::string> FormatRequest(const ClientRequest& request, const Url& url) {
  std::string out = request.method + " " + url.target + " HTTP/1.1\r\n";
  if (!HasField(request.headers, "Host")) out += "Host: " + url.authority + "\r\n";
  for (const auto& [name, value] : request.headers) {
    if (name.find_first_of("\r\n: ") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument, "a header holds a line break", name);
    }
    out += name + ": " + value + "\r\n";
  }
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  out += "Connection: close\r\n\r\n";
  return out;
}

// One exchange on a connection of its own.
class ClientExchange {
 public:
  using OnData = std::function<bool(std::string_view)>;

  ClientExchange(const ClientRequest& request, const ClientOptions& options)
      : request_(request), options_(options), link_(options.timeout, request.url) {}

  // on_data may be empty: then the body is kept.
  Result<Response> Run(const OnData& on_data) {
    JIKJI_ASSIGN(const Url url, ParseUrl(request_.url));
    JIKJI_ASSIGN(const std::string head, FormatRequest(request_, url));
    JIKJI_RETURN_IF_ERROR(link_.Connect(url));
    JIKJI_RETURN_IF_ERROR(SendAll(head));
    JIKJI_RETURN_IF_ERROR(SendAll(request_.body));
    ResponseHead answer;
    do {
      JIKJI_ASSIGN(answer, ReadHead());
    } while (answer.status / 100 == 1);
    Response response;
    response.status = answer.status;
    response.content_type.clear();
    for (const auto& [name, value] : answer.headers) {
      if (EqualIgnoringCase(name, "Content-Type")) response.content_type = value;
    }
    const bool bodiless = request_.method == "HEAD" || IsBodiless(answer.status);
    if (!bodiless) {
      const bool keep = !on_data || answer.status / 100 != 2;
      JIKJI_RETURN_IF_ERROR(ReadBody(answer, keep ? Keep(response.body) : on_data));
    }
    response.headers = std::move(answer.headers);
    return response;
  }

 private:
  static OnData Keep(std::string& body) {
    return [&body](std::string_view piece) {
      body.append(piece);
      return true;
    };
  }

  Result<> SendAll(std::string_view data) {
    while (!data.empty() && !deaf_) {
      JIKJI_ASSIGN(const size_t count, link_.Send(data));
      deaf_ = count == 0;
      data.remove_prefix(count);
    }
    return {};
  }

  // More bytes into unread_; false at the end of the stream.
  Result<bool> More() {
    buffer_.resize(kReadBytes);
    JIKJI_ASSIGN(const size_t count, link_.Receive(buffer_));
    unread_.append(buffer_.data(), count);
    return count > 0;
  }

  Result<ResponseHead> ReadHead() {
    size_t scanned = 0;
    for (;;) {
      const HeadEnd end = FindHeadEnd(unread_, scanned);
      if (end.malformed || (end.size == 0 && unread_.size() > kMaxHeadBytes)) {
        return Malformed("the answer is not HTTP/1.1");
      }
      if (end.size > 0) {
        auto head = ParseResponseHead(std::string_view(unread_).substr(0, end.size));
        if (!head) return Malformed(head.error().message);
        unread_.erase(0, end.size);
        return *std::move(head);
      }
      scanned = unread_.size();
      JIKJI_ASSIGN(const bool more, More());
      if (!more) {
        return Fail(ErrorCode::kUnavailable, "the connection was closed without an answer",
                    request_.url);
      }
    }
  }

  Result<> ReadBody(const ResponseHead& head, const OnData& on_data) {
    const uint64_t limit = options_.max_body_bytes;
    if (head.content_length.value_or(0) > limit) return TooLarge();
    // Without a length the body ends with the connection.
    uint64_t left = head.content_length.value_or(std::numeric_limits<uint64_t>::max());
    uint64_t total = 0;
    ChunkDecoder chunks(limit);
    while (left > 0) {
      std::string_view input = unread_;
      while (!input.empty()) {
        std::string_view piece = input.substr(0, std::min<uint64_t>(left, input.size()));
        if (head.chunked) {
          const auto status = chunks.Next(input, piece);
          if (status == ChunkDecoder::Status::kMore) break;
          if (status == ChunkDecoder::Status::kDone) return {};
          if (status == ChunkDecoder::Status::kBad) {
            return Malformed("the answer's chunks are malformed");
          }
          if (status == ChunkDecoder::Status::kTooLarge) return TooLarge();
        } else {
          input = {};
          left -= piece.size();
          total += piece.size();
          if (total > limit) return TooLarge();
        }
        if (!on_data(piece)) return {};
      }
      unread_.clear();
      if (left == 0) break;
      JIKJI_ASSIGN(const bool more, More());
      if (more) continue;
      if (!head.chunked && !head.content_length) return {};
      return Fail(ErrorCode::kUnavailable, "the answer broke off before its end", request_.url);
    }
    return {};
  }

  std::unexpected<Error> Malformed(std::string why) {
    return Fail(ErrorCode::kMalformed, std::move(why), request_.url);
  }
  std::unexpected<Error> TooLarge() {
    return Fail(ErrorCode::kResourceExhausted,
                "the answer is larger than " + std::to_string(options_.max_body_bytes) + " bytes",
                request_.url);
  }

  const ClientRequest& request_;
  const ClientOptions& options_;
  Link link_;
  bool deaf_ = false;  // the peer stopped reading
  std::vector<char> buffer_;
  std::string unread_;
};

}  // namespace

Result<Response> Fetch(const ClientRequest& request, const ClientOptions& options) {
  return ClientExchange(request, options).Run({});
}

Result<Response> FetchStream(const ClientRequest& request,
                             const std::function<bool(std::string_view piece)>& on_data,
                             const ClientOptions& options) {
  return ClientExchange(request, options).Run(on_data);
}

}  // namespace jikji::net
