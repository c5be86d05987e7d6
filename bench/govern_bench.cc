// What governance costs a request: the key is recognised, a ticket with budgets on three levels and
// two rates is made, the engine's count is taken, and all of it is settled into the journal.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "govern/governor.h"
#include "govern/schema.h"
#include "govern/tenancy/administration.h"

namespace jikji {
namespace {

template <class T>
T Need(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

// A store with one key, and the server over it.
class Site {
 public:
  explicit Site(bool audited) {
    std::string folder = std::filesystem::temp_directory_path() / "jikji_bench_XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
    GovernorOptions options;
    options.store = "sqlite:" + folder + "/s.db";
    options.pepper = std::string(32, 'p');
    options.journal.folder = folder_ / "journal";
    if (audited) options.audit = folder_ / "audit";
    const KeyHasher hasher = Need(KeyHasher::Create(options.pepper));
    const auto database = Need(Database::Open(options.store));
    if (!MigrateGovernance(*database)) std::abort();
    Administration admin(*database, hasher, SystemClock(), "bench");
    const int64_t organisation = Need(admin.AddOrganisation("o", "KRW"));
    const int64_t project = Need(admin.AddProject(organisation, "p", {}));
    NewKey wanted;
    wanted.name = "k";
    wanted.project = project;
    const MadeKey key = Need(admin.AddKey(wanted));
    secret = key.secret;
    if (!admin.SetPrice("model", "KRW", 0, {500'000, 50'000, 1'500'000})) std::abort();
    const Scope scopes[] = {{ScopeKind::kKey, key.id},
                            {ScopeKind::kProject, project},
                            {ScopeKind::kOrganisation, organisation}};
    for (const Scope& scope : scopes) {
      Need(admin.SetBudget(scope, Window::kMonth, int64_t{1} << 62, true));
      if (!admin.SetLimit({scope, "", kLargestRate, kLargestRate, 1'000'000})) std::abort();
    }
    governor = Need(Governor::Open(options));
  }
  ~Site() {
    governor.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string secret;
  std::unique_ptr<Governor> governor;

 private:
  std::filesystem::path folder_;
};

Site& Shared(bool audited = false) {
  static Site plain(false);
  static Site with_log(true);
  return audited ? with_log : plain;
}

void Authenticate(benchmark::State& state) {
  Site& site = Shared();
  for (auto _ : state) {
    auto caller = site.governor->Authenticate(site.secret, "127.0.0.1:5", Right::kInfer);
    if (!caller) std::abort();
    benchmark::DoNotOptimize(caller);
  }
}
BENCHMARK(Authenticate);

// A key that is well formed and not ours: what a flood of bad keys costs.
void Refuse(benchmark::State& state) {
  Site& site = Shared();
  const std::string strange = Need(MakeApiKey(KeyShape::kJikji));
  for (auto _ : state) {
    benchmark::DoNotOptimize(site.governor->Authenticate(strange, "127.0.0.1:5", Right::kInfer));
  }
}
BENCHMARK(Refuse);

// The whole of a request with `range` streamed tokens; the second argument: with the audit log.
void Request(benchmark::State& state) {
  Site& site = Shared(state.range(1) != 0);
  AdmissionRequest request;
  request.model = "model";
  request.prompt_tokens = 100;
  request.max_output_tokens = 256;
  for (auto _ : state) {
    auto caller = site.governor->Authenticate(site.secret, "127.0.0.1:5", Right::kInfer);
    if (!caller) std::abort();
    auto ticket = (*caller)->Admit(request);
    if (!ticket) {
      state.SkipWithError(ticket.error().message.c_str());
      break;
    }
    for (int64_t i = 0; i < state.range(0); ++i) ticket->meter()->Count(100, 0, 1);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Request)->Args({1, 0})->Args({64, 0})->Args({1, 1})->UseRealTime();
BENCHMARK(Request)->Args({1, 0})->Args({1, 1})->Threads(2)->UseRealTime();

}  // namespace
}  // namespace jikji
