// What governance adds to an answer: a real server over sockets, with an engine that answers at
// once, with and without all of it (keys, budgets on three levels, two rates, audit log with
// receipts, and the privacy guard where it is asked for).
//
//   govern_latency [REQUESTS_PER_SECOND] [SECONDS] [--guard]      5000 and 10, if not given
//
// Two servers run side by side and are asked in turns, half a second each, so that both see the
// same machine. Arrivals are Poisson and latency counts from when a request was due, so a server
// that stalls is charged for those it kept waiting.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/service.h"
#include "govern/governor.h"
#include "govern/schema.h"
#include "govern/tenancy/administration.h"
#include "model/model.h"
#include "net/server.h"

namespace jikji {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kClients = 16;
constexpr auto kTurn = std::chrono::milliseconds(500);

template <class T>
T Need(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().ToString());
  std::exit(1);
}

// Says four tokens as soon as it is asked, and counts them as the true engine does.
class InstantEngine : public Engine {
 public:
  explicit InstantEngine(ModelDescription model) : model_(std::move(model)) {
    options_.context = 2048;
  }
  const ModelDescription& model() const override { return model_; }
  const EngineOptions& options() const override { return options_; }
  Result<> Submit(Ticket ticket, GenerationRequest request, DeltaSink sink) override {
    Delta delta;
    delta.text = "네, 네";
    delta.tokens = {11, 12, 13, 14};
    delta.finish = FinishReason::kLength;
    delta.prompt_tokens = ticket.prompt_tokens();
    delta.output_tokens = 4;
    if (ticket.meter() != nullptr) ticket.meter()->Count(ticket.prompt_tokens(), 0, 4);
    sink(std::move(delta));
    return {};
  }
  void Cancel(const std::string&) override {}
  void StopAdmission() override {}
  EngineStats stats() const override { return {}; }
  EngineHealth Health(std::chrono::milliseconds) const override { return {true, {}}; }
  void SetObserver(Observer) override {}

 private:
  ModelDescription model_;
  EngineOptions options_;
};

struct Side {
  std::unique_ptr<Governor> governor;
  std::unique_ptr<Service> service;
  std::unique_ptr<net::Server> server;
  std::string key;
  std::mutex mutex;
  std::vector<double> microseconds;
};

std::unique_ptr<Governor> MakeGovernor(const std::string& folder, std::string& key) {
  GovernorOptions options;
  options.store = "sqlite:" + folder + "/s.db";
  options.pepper = std::string(32, 'p');
  options.journal.folder = folder + "/journal";
  options.audit = folder + "/audit";
  const KeyHasher hasher = Need(KeyHasher::Create(options.pepper));
  const auto database = Need(Database::Open(options.store));
  if (!MigrateGovernance(*database)) std::exit(1);
  Administration admin(*database, hasher, SystemClock(), "bench");
  const int64_t organisation = Need(admin.AddOrganisation("o", "KRW"));
  NewKey wanted;
  wanted.name = "k";
  wanted.project = Need(admin.AddProject(organisation, "p", {}));
  const MadeKey made = Need(admin.AddKey(wanted));
  key = made.secret;
  if (!admin.SetPrice("m", "KRW", 0, {500'000, 50'000, 1'500'000})) std::exit(1);
  for (const Scope scope :
       {Scope{ScopeKind::kKey, made.id}, Scope{ScopeKind::kProject, wanted.project},
        Scope{ScopeKind::kOrganisation, organisation}}) {
    Need(admin.SetBudget(scope, Window::kMonth, int64_t{1} << 62, true));
    if (!admin.SetLimit({scope, "", kLargestRate, kLargestRate, 1'000'000})) std::exit(1);
  }
  return Need(Governor::Open(options));
}

int Connect(uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::exit(1);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

// Sends one request and reads its whole answer.
void Exchange(int socket, const std::string& wire, std::string& buffer) {
  if (send(socket, wire.data(), wire.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(wire.size())) {
    std::exit(1);
  }
  buffer.clear();
  size_t whole = std::string::npos;
  char piece[8192];
  while (buffer.size() < whole) {
    const ssize_t got = recv(socket, piece, sizeof piece, 0);
    if (got <= 0) std::exit(1);
    buffer.append(piece, static_cast<size_t>(got));
    const size_t head = buffer.find("\r\n\r\n");
    if (whole != std::string::npos || head == std::string::npos) continue;
    constexpr std::string_view kLength = "Content-Length: ";
    const size_t length = buffer.find(kLength);
    if (!buffer.starts_with("HTTP/1.1 200") || length == std::string::npos) {
      fmt::print(stderr, "{}\n", buffer);
      std::exit(1);
    }
    whole = head + 4 + std::strtoull(buffer.c_str() + length + kLength.size(), nullptr, 10);
  }
}

std::string WireFor(const Side& side) {
  const std::string body =
      R"({"messages":[{"role":"user","content":"오늘 민원실은 몇 시까지 여나요?"}],"max_tokens":8})";
  return fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      side.key.empty() ? "none" : side.key, body.size(), body);
}

void Client(Side (&sides)[2], double rate, Clock::time_point begin, Clock::time_point end,
            unsigned seed) {
  std::mt19937 random(seed);
  std::exponential_distribution<double> gap(rate / kClients);
  int sockets[2];
  std::string wires[2], buffer;
  std::vector<double> taken[2];
  for (int i = 0; i < 2; ++i) {
    sockets[i] = Connect(sides[i].server->port());
    wires[i] = WireFor(sides[i]);
  }
  auto due = begin;
  while (due < end) {
    std::this_thread::sleep_until(due);
    const auto i = static_cast<size_t>((due - begin) / kTurn % 2);
    Exchange(sockets[i], wires[i], buffer);
    taken[i].push_back(std::chrono::duration<double, std::micro>(Clock::now() - due).count());
    due += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(gap(random)));
  }
  for (int i = 0; i < 2; ++i) {
    close(sockets[i]);
    const std::lock_guard lock(sides[i].mutex);
    sides[i].microseconds.insert(sides[i].microseconds.end(), taken[i].begin(), taken[i].end());
  }
}

int Main(int argc, char** argv) {
  double rate = 5000, seconds = 10;
  bool guarded = false;
  for (int i = 1, place = 0; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--guard") {
      guarded = true;
    } else {
      (place++ == 0 ? rate : seconds) = std::atof(argv[i]);
    }
  }
  std::string folder = std::filesystem::temp_directory_path() / "jikji_latency_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  InstantEngine engine(
      Need(DescribeModel(std::string(JIKJI_SOURCE_DIR) + "/models/jikji-mini-ko")));
  LocalPolicy policy;
  {
    Side sides[2];
    for (int i = 0; i < 2; ++i) {
      ApiOptions options;
      options.model_names = {"m"};
      if (i == 1) {
        sides[i].governor = MakeGovernor(folder, sides[i].key);
        options.governor = sides[i].governor.get();
        if (guarded) options.guard = guard::MakePrivacyGuard(guard::DefaultPolicy());
      }
      sides[i].service = Need(Service::Create(engine, policy, std::move(options)));
      net::ServerOptions listen;
      listen.port = 0;
      sides[i].server = Need(net::Server::Start(listen, sides[i].service->handler()));
    }
    const auto begin = Clock::now() + std::chrono::milliseconds(200);
    const auto end =
        begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    std::vector<std::jthread> clients;
    for (unsigned c = 0; c < kClients; ++c) {
      clients.emplace_back([&, c] { Client(sides, rate, begin, end, c); });
    }
    clients.clear();
    const char* names[] = {"without governance", "with all of it"};
    double at[2][3];
    for (int i = 0; i < 2; ++i) {
      auto& taken = sides[i].microseconds;
      std::ranges::sort(taken);
      const double shares[] = {0.5, 0.9, 0.99};
      for (int s = 0; s < 3; ++s) {
        at[i][s] = taken[static_cast<size_t>(shares[s] * static_cast<double>(taken.size() - 1))];
      }
      fmt::print("{:20} {:7} requests, microseconds p50 {:6.0f}  p90 {:6.0f}  p99 {:6.0f}\n",
                 names[i], taken.size(), at[i][0], at[i][1], at[i][2]);
    }
    fmt::print("{:20} {:16} microseconds p50 {:+6.0f}  p90 {:+6.0f}  p99 {:+6.0f}\n", "added", "",
               at[1][0] - at[0][0], at[1][1] - at[0][1], at[1][2] - at[0][2]);
    for (Side& side : sides) side.server.reset();
  }
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace jikji

int main(int argc, char** argv) { return jikji::Main(argc, argv); }
