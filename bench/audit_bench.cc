// What the audit log costs: appending a record, sealing a content field, and verifying a log.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "govern/audit/frame.h"
#include "govern/audit/log.h"
#include "govern/audit/verify.h"

namespace jikji::audit {
namespace {

// As the API records it: about 300 bytes.
Record Generation(uint64_t i) {
  Record record;
  record.tenant = i % 2 == 0 ? "ministry-of-data" : "shop";
  record.event = "generation";
  record.fields = {{"id", "chatcmpl-0123456789abcdef0123456789abcdef"},
                   {"model", "0123456789abcdef0123456789abcdef"},
                   {"prompt_tokens", "1024"},
                   {"output_tokens", "256"},
                   {"prompt", std::string(32, 'h'), true}};
  return record;
}

std::filesystem::path TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "audit_bench_XXXXXX").string();
  return mkdtemp(name.data());
}

// The caller's side: encode, hash, chain, tree. The disk works beside it.
void Append(benchmark::State& state) {
  const auto folder = TemporaryFolder();
  {
    auto log = AuditLog::Open(folder, {.max_pending = size_t{4} << 30});
    if (!log) return state.SkipWithError(log.error().ToString().c_str());
    uint64_t i = 0;
    Record record = Generation(0);
    for (auto _ : state) {
      record.tenant_index = ++i;
      benchmark::DoNotOptimize((*log)->Append(record));
    }
    state.SetItemsProcessed(state.iterations());
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(Append)->Iterations(1'000'000);

void Seal(benchmark::State& state) {
  const auto folder = TemporaryFolder();
  TenantKeys keys(folder);
  const std::string content(1024, 'p');
  for (auto _ : state) benchmark::DoNotOptimize(keys.Seal("tenant", "prompt", content));
  std::filesystem::remove_all(folder);
}
BENCHMARK(Seal);

// Frames, numbering, chains and roots; the signatures of heads are counted apart (0.1 ms each).
void Check(benchmark::State& state) {
  constexpr uint64_t kRecords = 200'000;
  std::string file;
  MerkleTree tree;
  Chains chains;
  for (uint64_t i = 0; i < kRecords; ++i) {
    Record record = Generation(i);
    ChainEnd& end = chains[record.tenant];
    record.index = i;
    record.tenant_index = end.count++;
    record.previous = end.last;
    const size_t frame = OpenFrame(file);
    EncodeRecord(record, file);
    SealFrame(frame, file);
    end.last = LeafHash(std::string_view(file).substr(frame + kFrameHead));
    tree.Append(end.last);
  }
  SignedHead head{.size = kRecords, .time = 0, .root = tree.Root(), .signature = {}};
  for (auto _ : state) {
    LogChecker checker({head});
    checker.Check(file);
    if (!checker.faults().empty()) state.SkipWithError("the log does not verify");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRecords));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(file.size()));
}
BENCHMARK(Check)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace jikji::audit
