#include "net/loop.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <string>
#include <utility>

#include "base/log.h"
#include "net/connection.h"

namespace jikji::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// One read takes a whole ordinary request; larger bodies come in pieces of this size.
constexpr size_t kScratchBytes = 64u << 10;

// What one turn of CheckTimes does: connections looked at, of which one that something is done to
// counts as many. So a thousand that run out of time at once are ended eight by eight.
constexpr int kChecksInTurn = 256;
constexpr int kActInChecks = 32;

// Timeouts may fire late by this much: a quarter of the shortest, within reason.
std::chrono::milliseconds TickInterval(const ServerOptions& options) {
  const auto shortest = std::min(
      {options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
}

}  // namespace

Loop::Loop(std::shared_ptr<ServerState> state)
    : state_(std::move(state)),
      tick_interval_(TickInterval(state_->options)),
      scratch_(kScratchBytes) {
  io_.emplace(1);
  work_.emplace(io_->get_executor());
  tick_.emplace(*io_);
}

void Loop::Wake(std::shared_ptr<Exchange> exchange) {
  asio::post(*io_, [exchange = std::move(exchange)] {
    if (exchange->connection != nullptr) exchange->connection->OnWake();
  });
}

void Loop::Run() {
  // sendfile() on a connection that its peer has closed raises it; the error says as much.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (;;) {
    try {
      io_->run();
      return;
    } catch (const std::exception& error) {
      // Out of memory, in practice, while a connection was accepted; the others go on.
      Log(LogLevel::kError, std::string("a network thread caught: ") + error.what());
    }
  }
}

void Loop::Add(tcp::socket socket, const tcp::endpoint& peer, bool refuse) {
  if (stopped_) return state_->Left(peer.address());
  error_code error;
  socket.non_blocking(true, error);
  socket.set_option(tcp::no_delay(true), error);
  auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket), peer);
  connection->index = connections_.size();
  connections_.push_back(connection);
  ScheduleTick();
  if (refuse) return connection->Refuse();
  if (state_->gate.closed()) return connection->Close(/*reset=*/false);
  connection->Start();
}

void Loop::Remove(Connection& connection) {
  const size_t index = connection.index;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index = index;
  connections_.pop_back();
  state_->Left(connection.peer().address());
}

template <class Visit>
void Loop::ForEach(Visit visit) {
  // From the end: a connection that removes itself is replaced by one already visited.
  for (size_t i = connections_.size(); i-- > 0;) {
    if (i >= connections_.size()) continue;
    const std::shared_ptr<Connection> connection = connections_[i];
    visit(*connection);
  }
}

void Loop::ScheduleTick() {
  if (ticking_ || stopped_ || connections_.empty()) return;
  ticking_ = true;
  tick_->expires_after(tick_interval_);
  tick_->async_wait([this](error_code error) {
    if (error) {
      ticking_ = false;
      return;
    }
    CheckTimes(connections_.size(), Connection::Clock::now());
  });
}

void Loop::CheckTimes(size_t next, Connection::Clock::time_point now) {
  // Downward: a connection that goes is replaced by one that was looked at, or is new.
  for (int checks = 0; checks < kChecksInTurn;) {
    next = std::min(next, connections_.size());
    if (next == 0) {
      ticking_ = false;
      return ScheduleTick();
    }
    const std::shared_ptr<Connection> connection = connections_[--next];
    checks += connection->CheckTime(now) ? kActInChecks : 1;
  }
  asio::post(*io_, [this, next, now] { CheckTimes(next, now); });
}

void Loop::Drain() {
  asio::post(*io_, [this] { ForEach([](Connection& connection) { connection.OnDrain(); }); });
}

void Loop::CutAnswers() {
  asio::post(*io_, [this] { ForEach([](Connection& connection) { connection.CutAnswer(); }); });
}

void Loop::Stop() {
  asio::post(*io_, [this] {
    stopped_ = true;
    ForEach([](Connection& connection) { connection.Close(/*reset=*/false); });
    tick_->cancel();
    work_.reset();
  });
}

void Loop::Destroy() {
  tick_.reset();
  work_.reset();
  io_.reset();
}

}  // namespace jikji::net
