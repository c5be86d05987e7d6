// A small blocking HTTP/1.1 client, with or without TLS: for `jikji chat`, the router, logins,
// health checks and tests. Redirects are not followed.
//
// Each exchange has a connection of its own, unless it is given a pool to take one from and leave
// it in. An exchange on a kept connection that ends before any byte of an answer came is sent once
// more on a new one, so a pool is for requests that may be sent twice.
#ifndef JIKJI_NET_CLIENT_H_
#define JIKJI_NET_CLIENT_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/cancellation.h"
#include "net/connection_pool.h"
#include "net/http.h"

namespace jikji::net {

struct ClientOptions {
  std::chrono::milliseconds timeout{600'000};  // of no byte coming
  // Of the whole exchange.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  size_t max_body_bytes = 1u << 30;
  ConnectionPool* pool = nullptr;
  const Cancellation* cancellation = nullptr;
  // Called, where given, when there is a connection and the request begins to leave; and with the
  // head of the answer, before any of its body.
  std::function<void()> on_sent = {};
  std::function<void(const Response& head)> on_head = {};
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http://host:port/path?query, or https
  Headers headers = {};
  std::string body = {};
  std::optional<FilePart> file = std::nullopt;  // instead of `body`
};

// The whole answer; to HEAD, `file` of the response has the length that its body would have.
Result<Response> Fetch(const ClientRequest& request, const ClientOptions& options = {});

// Calls on_data for each piece of the body as it comes; return false to stop. The returned Response
// has an empty body, except that the body of a status other than 2xx is kept there (and on_data is
// not called).
Result<Response> FetchStream(const ClientRequest& request,
                             const std::function<bool(std::string_view piece)>& on_data,
                             const ClientOptions& options = {});

// An answer whose body is read into the caller's memory when the caller is ready for it: until then
// TCP holds the peer back. Of an answer that tells its length.
class BodyReader {
 public:
  // Sends the request and waits for the head of the answer.
  static Result<BodyReader> Open(ClientRequest request, const ClientOptions& options = {});
  BodyReader(BodyReader&&) noexcept;
  BodyReader& operator=(BodyReader&&) noexcept;
  ~BodyReader();

  // Without a body, except that the body of a status other than 2xx is here.
  const Response& response() const;
  // Of the body, not read yet.
  uint64_t left() const;
  // Fills `into`, of at most left() bytes. The last byte gives the connection back to the pool.
  Result<> Read(std::span<char> into);

 private:
  struct State;
  explicit BodyReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Splits a server-sent event stream into the `data:` payloads of its events (WHATWG HTML 9.2),
// whatever the pieces it comes in.
class SseParser {
 public:
  // Calls on_data for each complete event that has data.
  void Feed(std::string_view piece, const std::function<void(std::string_view data)>& on_data);

 private:
  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool last_was_cr_ = false;
  bool at_start_ = true;  // a byte order mark may still come
};

}  // namespace jikji::net

#endif  // JIKJI_NET_CLIENT_H_
