// One network thread: its event loop, the connections that live on it, and what all loops of a
// server share. Internal to net/.
#ifndef JIKJI_NET_LOOP_H_
#define JIKJI_NET_LOOP_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "net/exchange.h"
#include "net/gate.h"
#include "net/peer_connections.h"
#include "net/peer_faults.h"
#include "net/server.h"

namespace jikji::net {

struct ServerState {
  ServerState(ServerOptions options, Handler handler)
      : options(std::move(options)),
        handler(std::move(handler)),
        faults(this->options.unauthorized_per_second) {}

  ServerOptions options;
  Handler handler;
  Gate gate;  // holds the exchanges under way
  PeerFaults faults;
  std::atomic<size_t> connections = 0;
  PeerConnections peers;  // whose they are

  // One less of `peer`.
  void Left(const boost::asio::ip::address& peer) {
    peers.Leave(peer);
    connections.fetch_sub(1);
  }

  std::atomic<size_t> body_bytes = 0;

  Response ErrorResponse(int status, std::string_view message) const;
};

class Loop : public ExchangeHost, public std::enable_shared_from_this<Loop> {
 public:
  explicit Loop(std::shared_ptr<ServerState> state);

  ServerState& server() { return *state_; }
  boost::asio::io_context& io() { return *io_; }
  // Where every connection of this loop reads to; its bytes must be taken before the next read.
  std::vector<char>& scratch() { return scratch_; }

  void Wake(std::shared_ptr<Exchange> exchange) override;

  // Runs until Stop. On the loop's own thread; so are Add and Remove.
  void Run();
  // The socket counts in `connections` and `peers` already. `refuse`: only to be told that there
  // are too many.
  void Add(boost::asio::ip::tcp::socket socket, const boost::asio::ip::tcp::endpoint& peer,
           bool refuse);
  void Remove(Connection& connection);

  // Any thread.
  void Drain();
  void CutAnswers();
  void Stop();
  // After Run returned: drops what never ran.
  void Destroy();

 private:
  template <class Visit>
  void ForEach(Visit visit);
  void ScheduleTick();
  // The connections below `next`, from the last; a few at a time, so that others have their turn.
  void CheckTimes(size_t next, std::chrono::steady_clock::time_point now);

  std::shared_ptr<ServerState> state_;
  std::optional<boost::asio::io_context> io_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::optional<boost::asio::steady_timer> tick_;
  std::chrono::milliseconds tick_interval_;
  bool ticking_ = false;
  bool stopped_ = false;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<char> scratch_;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_LOOP_H_
