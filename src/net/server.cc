#include "net/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/connection.h"
#include "net/loop.h"
#include "net/message.h"

namespace jikji::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// How many peers over the limit are told so properly at once; beyond, they are just closed.
constexpr size_t kMaxRefusing = 256;
// What the rest of the program needs open beside connections.
constexpr size_t kOtherFiles = 256;
// After an accept failed for want of files or memory; long enough not to spin, short to a person.
constexpr std::chrono::milliseconds kAcceptBackoff{100};
// A peer that vanished without a word (power, cable) is noticed after about a minute.
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;

using KeepIdle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
using KeepInterval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
using KeepCount = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;

// Raises the soft limit of open files to the hard one.
void RaiseFileLimit(size_t max_connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur < max_connections + kOtherFiles) {
    Log(LogLevel::kWarning, "only " + std::to_string(limit.rlim_cur) +
                                " files may be open at once (ulimit -n), too few for " +
                                std::to_string(max_connections) + " connections");
  }
}

class ServerImpl : public Server {
 public:
  explicit ServerImpl(std::shared_ptr<ServerState> state) : state_(std::move(state)) {
    for (size_t i = 0; i < std::max<size_t>(1, state_->options.threads); ++i) {
      loops_.push_back(std::make_shared<Loop>(state_));
    }
    acceptor_.emplace(loops_[0]->io());
    retry_.emplace(loops_[0]->io());
  }

  ~ServerImpl() override {
    state_->gate.Close();
    CloseAcceptor();
    for (const auto& loop : loops_) loop->Stop();
    for (std::thread& thread : threads_) thread.join();
    acceptor_.reset();
    retry_.reset();
    for (const auto& loop : loops_) loop->Destroy();
  }

  Result<> Listen() {
    const ServerOptions& options = state_->options;
    const std::string where = options.address + ":" + std::to_string(options.port);
    error_code error;
    tcp::resolver resolver(loops_[0]->io());
    const auto found =
        resolver.resolve(options.address, std::to_string(options.port),
                         tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error || found.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "not an address of this machine: " + error.message(),
                  where);
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    // Accepted sockets inherit these on Linux.
    error_code ignored;
    acceptor_->set_option(asio::socket_base::keep_alive(true), ignored);
    acceptor_->set_option(KeepIdle(kKeepAliveIdleSeconds), ignored);
    acceptor_->set_option(KeepInterval(kKeepAliveIntervalSeconds), ignored);
    acceptor_->set_option(KeepCount(kKeepAliveProbes), ignored);
    if (!error) acceptor_->bind(endpoint, error);
    // The kernel lowers the backlog to net.core.somaxconn.
    if (!error) acceptor_->listen(65535, error);
    if (error) {
      return Fail(error == asio::error::address_in_use ? ErrorCode::kUnavailable : ErrorCode::kIo,
                  "cannot listen: " + error.message(), where);
    }
    port_ = acceptor_->local_endpoint(error).port();
    return {};
  }

  void Run() {
    Accept();
    for (const auto& loop : loops_) threads_.emplace_back([loop] { loop->Run(); });
  }

  uint16_t port() const override { return port_; }
  size_t open_connections() const override { return state_->connections.load(); }

  bool Drain(std::chrono::milliseconds deadline) override {
    const auto until = std::chrono::steady_clock::now() + deadline;
    state_->gate.Close();
    CloseAcceptor();
    for (const auto& loop : loops_) loop->Drain();
    if (state_->gate.WaitEmpty(until)) return true;
    for (const auto& loop : loops_) loop->CutAnswers();
    state_->gate.WaitEmpty(std::chrono::steady_clock::time_point::max());
    return false;
  }

 private:
  void CloseAcceptor() {
    asio::post(loops_[0]->io(), [this] {
      error_code ignored;
      acceptor_->close(ignored);
      retry_->cancel();
    });
  }

  void Accept() {
    next_ = (next_ + 1) % loops_.size();
    Loop& loop = *loops_[next_];
    acceptor_->async_accept(loop.io(), [this, &loop](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor_->is_open()) return;
      if (!error) {
        Place(loop, std::move(socket));
      } else if (error != asio::error::connection_aborted) {
        return AcceptLater(error);
      }
      Accept();
    });
  }

  void AcceptLater(error_code error) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_warning_) {
      next_warning_ = now + std::chrono::seconds(10);
      Log(LogLevel::kWarning, "cannot accept a connection: " + error.message());
    }
    retry_->expires_after(kAcceptBackoff);
    retry_->async_wait([this](error_code cancelled) {
      if (!cancelled && acceptor_->is_open()) Accept();
    });
  }

  void Place(Loop& loop, tcp::socket socket) {
    error_code gone;  // then the first read says so
    const tcp::endpoint peer = socket.remote_endpoint(gone);
    const ServerOptions& options = state_->options;
    const size_t open = state_->connections.fetch_add(1),
                 of_peer = state_->peers.Enter(peer.address());
    // By how many it is too many.
    const auto beyond = [](size_t held, size_t limit) {
      return held < limit ? 0 : held - limit + 1;
    };
    const size_t over = std::max(beyond(open, options.max_connections),
                                 options.max_connections_per_address == 0
                                     ? 0
                                     : beyond(of_peer, options.max_connections_per_address));
    if (over > kMaxRefusing) return state_->Left(peer.address());
    const bool refuse = over > 0;
    if (&loop == loops_[0].get()) return loop.Add(std::move(socket), peer, refuse);
    asio::post(loop.io(), [&loop, peer, refuse, socket = std::move(socket)]() mutable {
      loop.Add(std::move(socket), peer, refuse);
    });
  }

  std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> retry_;
  std::chrono::steady_clock::time_point next_warning_{};
  size_t next_ = 0;
  uint16_t port_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace

Response ServerState::ErrorResponse(int status, std::string_view message) const {
  Response response;
  response.status = status;
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  try {
    if (options.error_body) response.body = options.error_body(status, message);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, std::string("error_body threw: ") + error.what());
  }
  if (response.body.empty()) {
    // Messages are this module's own and hold nothing that JSON would escape.
    response.body = R"({"error":{"message":")" + std::string(message) + R"(","code":)" +
                    std::to_string(status) + "}}";
  }
  return response;
}

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Handler handler) {
  if (!handler) return Fail(ErrorCode::kInvalidArgument, "a server needs a handler");
  RaiseFileLimit(options.max_connections);
  try {
    auto state = std::make_shared<ServerState>(std::move(options), std::move(handler));
    auto server = std::make_unique<ServerImpl>(std::move(state));
    JIKJI_RETURN_IF_ERROR(server->Listen());
    server->Run();
    return server;
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kIo, std::string("cannot start the server: ") + error.what());
  }
}

}  // namespace jikji::net
