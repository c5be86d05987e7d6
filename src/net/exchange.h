// One request's answer on its way from any thread to the thread of its connection.
//
// The handler's side (a Responder) calls Send, Begin, Write, End from anywhere; the connection's
// side takes what has gathered. A wake-up is posted once for however many calls came before it was
// served, so that small writes leave together. Internal to net/.
#ifndef JIKJI_NET_EXCHANGE_H_
#define JIKJI_NET_EXCHANGE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "net/http.h"
#include "net/out_queue.h"

namespace jikji::net {

class Connection;
class Exchange;

// The thread of a connection, as an exchange sees it.
class ExchangeHost {
 public:
  virtual ~ExchangeHost() = default;
  // Calls exchange->connection's OnWake on that thread, soon; called with the exchange locked.
  virtual void Wake(std::shared_ptr<Exchange> exchange) = 0;
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  struct Options {
    bool http11 = true;
    bool head_only = false;  // HEAD: the body is left out
    size_t max_unsent_bytes = 0;
  };

  // Starts as if a wake-up was posted: the connection takes once after the handler returned.
  Exchange(Options options, std::shared_ptr<ExchangeHost> host)
      : options_(options), host_(std::move(host)) {}

  // The handler's side: any thread.
  void Send(Response response);
  void Begin(Response head);
  bool Write(std::string chunk);
  void End();
  void OnDisconnect(std::function<void()> callback);
  // The responder was dropped, or the handler threw: a 500, or a cut if an answer was begun.
  void Abandon();

  // The connection's side: its thread.
  struct Taken {
    std::optional<Response> head;  // once
    bool failed = false;           // the handler gave no answer
    bool streamed = false;
    bool complete = false;  // nothing follows what was taken
    bool cut = false;       // the stream is broken: cut the connection
    OutQueue body;          // framed pieces of a streamed answer
  };
  Taken Take();
  // What the connection still has to send of this answer.
  void SetUnsent(size_t bytes) { unsent_.store(bytes, std::memory_order_relaxed); }
  // The peer went away, or was cut: calls back, and nothing is posted any more.
  void PeerGone();

  // Null once the connection has let go; only its thread looks.
  Connection* connection = nullptr;

 private:
  enum class Phase { kWaiting, kStreaming, kComplete };

  void WakeLocked();

  const Options options_;
  std::mutex mutex_;
  std::shared_ptr<ExchangeHost> host_;
  Phase phase_ = Phase::kWaiting;
  bool failed_ = false;
  bool streamed_ = false;
  bool bodiless_ = false;
  bool cut_ = false;
  bool gone_ = false;
  bool wake_posted_ = true;
  std::optional<Response> head_;
  OutQueue body_;
  std::function<void()> on_disconnect_;
  std::atomic<size_t> unsent_ = 0;
};

// The handler's handle on an exchange; abandons it when destroyed.
std::shared_ptr<Responder> MakeResponder(std::shared_ptr<Exchange> exchange);

}  // namespace jikji::net

#endif  // JIKJI_NET_EXCHANGE_H_
