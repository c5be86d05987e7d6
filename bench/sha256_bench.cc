// What SHA-256 costs a core: OpenSSL's, one lane of ours, and streams that are fed in turn.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "store/sha256_in_step.h"
#include "store/sha256_lane.h"

namespace {

constexpr size_t kPiece = 64u << 10;  // what a network thread reads at once

template <class Stream>
void InTurn(benchmark::State& state) {
  const auto streams = static_cast<size_t>(state.range(0));
  const std::string piece(kPiece, 'x');
  std::vector<Stream> hashes(streams);
  for (auto _ : state) {
    for (Stream& hash : hashes) hash.Update(piece);
  }
  for (Stream& hash : hashes) benchmark::DoNotOptimize(hash.Finish());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * streams * kPiece));
}

BENCHMARK(InTurn<jikji::Sha256Stream>)->Arg(1)->Arg(2);
BENCHMARK(InTurn<jikji::Sha256Lane>)->Arg(1)->Arg(2);
BENCHMARK(InTurn<jikji::Sha256InStep>)->Arg(1)->Arg(2)->Arg(4);

}  // namespace
