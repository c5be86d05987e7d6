// A million requests with the server and the database killed again and again: is the ledger what
// the engine gave out?
//
//   ledger_kills [REQUESTS] [sqlite|postgres]      1000000 and postgres, if not given
//
// The engine is a mock behind the same ticket door: it draws how many tokens a request makes, notes
// each in memory that outlives a kill, and tells the ticket's meter, as the true engine does. A
// child process is the server, with governance and its audit log on; it is ended by SIGKILL at
// random moments, PostgreSQL by an immediate stop. Between the mock's note of a token and the note
// that the meter has it, a kill may catch each thread with one. Fails where the ledger is outside
// of what was noted before and after, or a budget's slices differ from it.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <string_view>
#include <thread>

#include "govern/audit/verify.h"
#include "govern/governor.h"
#include "govern/ledger/usage.h"
#include "govern/schema.h"
#include "govern/tenancy/administration.h"
#include "store/testing/postgres_cluster.h"

namespace jikji {
namespace {

constexpr int kThreads = 4;
constexpr int64_t kPrompt = 50, kOutput = 20;  // at most
constexpr Prices kPrices{.input = 10, .cached = 5, .output = 30};

template <class T>
T Need(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().ToString());
  std::exit(1);
}
void Need(Result<> result) {
  if (result) return;
  fmt::print(stderr, "{}\n", result.error().ToString());
  std::exit(1);
}

// What the mock engine noted, in memory that a killed child leaves to its parent.
struct EngineLog {
  std::atomic<int64_t> requests{0}, refused{0};
  std::atomic<int64_t> prompt_before{0}, prompt_after{0};
  std::atomic<int64_t> output_before{0}, output_after{0};
};

void MockEngine(Governor& governor, const std::string& secret, EngineLog& log, unsigned seed) {
  std::mt19937 random(seed);
  for (;;) {
    AdmissionRequest request;
    request.request = "r";
    request.model = "mock";
    request.prompt_tokens = 1 + static_cast<int64_t>(random() % kPrompt);
    request.max_output_tokens = kOutput;
    auto caller = governor.Authenticate(secret, "127.0.0.1:1", Right::kInfer);
    if (!caller) {
      ++log.refused;
      continue;
    }
    auto ticket = (*caller)->Admit(request);
    if (!ticket) {
      ++log.refused;
      continue;
    }
    ++log.requests;
    if (random() % 8 == 0) continue;  // the engine would not take it
    log.prompt_before += request.prompt_tokens;
    ticket->meter()->Count(request.prompt_tokens, 0, 0);
    log.prompt_after += request.prompt_tokens;
    // Ended, cut off, or failed: the count says.
    for (auto left = random() % (kOutput + 1); left > 0; --left) {
      ++log.output_before;
      ticket->meter()->Count(request.prompt_tokens, 0, 1);
      ++log.output_after;
    }
  }
}

int Main(int argc, char** argv) {
  const int64_t target = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const bool postgres = argc <= 2 || std::string_view(argv[2]) == "postgres";
  std::string folder = std::filesystem::temp_directory_path() / "jikji_kills_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  std::unique_ptr<PostgresCluster> cluster;
  if (postgres) cluster = Need(PostgresCluster::Start());
  GovernorOptions options;
  options.store = postgres ? cluster->NewDatabase() : "sqlite:" + folder + "/store.db";
  options.pepper = std::string(32, 'p');
  options.journal.folder = folder + "/journal";
  options.audit = folder + "/audit";
  options.interval = std::chrono::milliseconds(20);
  std::string secret;
  {
    const KeyHasher hasher = Need(KeyHasher::Create(options.pepper));
    const auto database = Need(Database::Open(options.store));
    Need(MigrateGovernance(*database));
    Administration admin(*database, hasher, SystemClock(), "bench");
    const int64_t organisation = Need(admin.AddOrganisation("o", "KRW"));
    NewKey wanted;
    wanted.name = "k";
    wanted.project = Need(admin.AddProject(organisation, "p", {}));
    const MadeKey key = Need(admin.AddKey(wanted));
    secret = key.secret;
    Need(admin.SetPrice("mock", "KRW", 0, kPrices));
    Need(admin.SetBudget({ScopeKind::kProject, wanted.project}, Window::kMonth, int64_t{1} << 60,
                         true));
    Need(admin.SetBudget({ScopeKind::kKey, key.id}, Window::kTotal, int64_t{1} << 59, true));
  }
  void* memory =
      mmap(nullptr, sizeof(EngineLog), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  auto& log = *new (memory) EngineLog;
  std::mt19937 random(23);
  int kills = 0, stops = 0;
  while (log.requests < target) {
    const int64_t until =
        std::min(target, log.requests + 5'000 + static_cast<int64_t>(random() % 40'000));
    const pid_t server = fork();
    if (server == 0) {
      auto governor = Governor::Open(options);
      if (!governor) {
        fmt::print(stderr, "{}\n", governor.error().ToString());
        _exit(1);
      }
      std::vector<std::jthread> threads;
      for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
          MockEngine(**governor, secret, log, static_cast<unsigned>(kills * kThreads + t));
        });
      }
      threads.clear();
      _exit(2);
    }
    const bool stop_database = postgres && random() % 4 == 0;
    const int64_t middle = (log.requests + until) / 2;
    bool stopped = false;
    while (log.requests < until && waitpid(server, nullptr, WNOHANG) == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (!stop_database || stopped || log.requests < middle) continue;
      stopped = true;
      ++stops;
      if (!cluster->StopServer("immediate") || !cluster->StartServer()) return 1;
    }
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
    ++kills;
  }
  Need(Governor::Open(options));  // replays, and writes what it settled
  const auto database = Need(Database::Open(options.store));
  Tokens tokens;
  int64_t cost = 0;
  Need(ReadUsage(*database, {0, int64_t{1} << 40, 0, 0}, [&](const UsageRow& row) {
    tokens.input += row.tokens.input;
    tokens.output += row.tokens.output;
    cost += row.cost;
  }));
  const SqlRows slices =
      Need(database->Run("SELECT CAST(SUM(settled) AS BIGINT) FROM budget_slices GROUP BY budget"));
  const auto report = Need(audit::VerifyLog(options.audit));
  fmt::print("requests {}, SIGKILLs of the server {}, immediate stops of the database {}\n",
             log.requests.load(), kills, stops);
  fmt::print("output tokens: noted before {}, ledger {}, noted after {}\n",
             log.output_before.load(), tokens.output, log.output_after.load());
  fmt::print("prompt tokens: noted before {}, ledger {}, noted after {}\n",
             log.prompt_before.load(), tokens.input, log.prompt_after.load());
  fmt::print("audit log: {} records, {} faults\n", report.records, report.faults.size());
  bool right = tokens.output <= log.output_before && tokens.output >= log.output_after &&
               tokens.input <= log.prompt_before && tokens.input >= log.prompt_after &&
               log.output_before - log.output_after <= int64_t{kills} * kThreads &&
               cost == tokens.input * kPrices.input + tokens.output * kPrices.output &&
               report.faults.empty() && slices.size() == 2;
  for (size_t i = 0; i < slices.size(); ++i) right &= slices.Int(i, 0) == cost;
  fmt::print("{}\n", right ? "the ledger is the engine's log" : "THE BOOKS DIFFER");
  std::filesystem::remove_all(folder);
  return right ? 0 : 1;
}

}  // namespace
}  // namespace jikji

int main(int argc, char** argv) { return jikji::Main(argc, argv); }
