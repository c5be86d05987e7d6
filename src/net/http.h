// What an HTTP exchange is to the floors above: a request, and a responder that may answer later
// and piece by piece.
//
// No header of Asio or Beast is seen above net/.
#ifndef JIKJI_NET_HTTP_H_
#define JIKJI_NET_HTTP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/file.h"

namespace jikji::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Takes the body of one request as it comes, so that it is never held in memory. Called on a
// network thread; what it does with a piece must take no longer than copying it. Dropped without an
// answer where the body broke off.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // False: the rest is not wanted; the handler is called at once, to say why.
  virtual bool Write(std::string_view piece) = 0;
};

struct Request {
  std::string method;  // "GET", "POST", ...
  std::string path;    // percent-decoded, without the query
  std::string query;   // raw, without '?'
  Headers headers;     // in the order received
  std::string body;
  std::string peer;                          // "127.0.0.1:54321"
  std::shared_ptr<BodySink> sink = nullptr;  // what took the body, where one was asked for

  // The first header of that name, ignoring case; empty where there is none.
  std::string_view Header(std::string_view name) const;
};

// A part of some bytes: of an open file, sent from the kernel's memory; of others, read on the
// network thread piece by piece as the peer takes them.
struct FilePart {
  std::shared_ptr<const ByteSource> file;  // nullptr: only its length is told, in answer to HEAD
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  Headers headers;
  std::string body;
  std::optional<FilePart> file = std::nullopt;  // instead of `body`; not for streamed answers
};

// One answer to one request. Thread-safe: call it from any thread; calls take effect in order. If
// it is destroyed before an answer was begun, the peer gets a 500; before End, the connection is
// cut so that the peer sees a broken stream, not a short one.
class Responder {
 public:
  virtual ~Responder() = default;

  // The whole answer. Send, or Begin Write* End, once.
  virtual void Send(Response response) = 0;

  // A streamed answer (chunked); `head.body` is ignored.
  virtual void Begin(Response head) = 0;
  // False once the peer has gone or reads so slowly that the limit of unsent bytes was passed: stop
  // producing.
  virtual bool Write(std::string chunk) = 0;
  virtual void End() = 0;

  // Called once, from a network thread, if the peer goes away before the answer is complete; at
  // once, from this call, if it already has. Dropped once the answer is complete. A later callback
  // replaces an earlier one.
  virtual void OnDisconnect(std::function<void()> callback) = 0;
};

// Called on a network thread; must not block. It may keep the responder and answer later.
using Handler = std::function<void(Request request, std::shared_ptr<Responder> responder)>;

}  // namespace jikji::net

#endif  // JIKJI_NET_HTTP_H_
