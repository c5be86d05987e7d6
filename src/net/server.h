// An HTTP/1.1 server with limits: connections, header and body sizes, time to send a request,
// unsent bytes of a stream.
//
// Keep-alive and pipelined requests answered in order; 100-continue; HEAD; TCP_NODELAY. A peer that
// breaks a rule or a limit gets 400, 408, 413, 414, 417, 431, 501, 503 or 505 with a JSON error
// body made by `error_body`, then its connection is closed. A peer that closes its sending half
// while an answer is under way counts as gone, as in most servers: the two look the same from here.
// Timeouts fire up to half a second late. Non-goals: HTTP/2, compression.
#ifndef JIKJI_NET_SERVER_H_
#define JIKJI_NET_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"

namespace jikji::net {

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 8080;  // 0: any free one
  size_t threads = 1;
  size_t max_connections = 16384;
  // Of these, at most so many of one address (of IPv6: one /64), so that nobody holds all. 0: all.
  size_t max_connections_per_address = 0;
  size_t max_header_bytes = 32u << 10;
  size_t max_body_bytes = 8u << 20;
  // Bytes of request bodies being received at once, over all connections: past it, 503.
  size_t max_total_body_bytes = 256u << 20;
  // Unsent bytes of one streamed answer before Write says false.
  size_t max_unsent_bytes = 4u << 20;
  std::chrono::milliseconds header_timeout{10'000};  // a whole header from its first byte
  std::chrono::milliseconds body_timeout{60'000};    // a whole body
  std::chrono::milliseconds idle_timeout{75'000};    // between requests
  std::chrono::milliseconds write_timeout{60'000};   // no byte taken by the peer
  // Answers 401 that one address gets a second, after a burst of five times as many; more wait, at
  // most two seconds (and half a second of a tick). 0: none waits.
  size_t unauthorized_per_second = 20;
  // The JSON body for an error that the server answers itself: (status, message).
  std::function<std::string(int status, std::string_view message)> error_body;
  // Asked for each request that has a body, once its head has come: what takes the body, which may
  // then be of any size and take any time while it comes; nullptr: it is gathered in Request::body.
  std::function<std::shared_ptr<BodySink>(const Request& head)> body_sink = nullptr;
  // Asked for each request whose body has not all come with its head: false where the answer is
  // known from the head. The handler then has the request with an empty body, what comes of the
  // body is thrown away, and the connection ends with the answer. nullptr: every body is read.
  std::function<bool(const Request& head)> wants_body = nullptr;
  // The most bytes of a body that is gathered, by its request's head; nullptr: max_body_bytes.
  std::function<size_t(const Request& head)> body_limit = nullptr;
};

class Server {
 public:
  // Listens and starts its threads.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Handler handler);
  virtual ~Server() = default;

  virtual uint16_t port() const = 0;
  virtual size_t open_connections() const = 0;

  // Accepts no more, closes idle connections, lets answers in flight finish until the deadline,
  // then cuts them; returns true if none was cut. The destructor stops at once.
  virtual bool Drain(std::chrono::milliseconds deadline) = 0;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_SERVER_H_
