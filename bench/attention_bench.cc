// Attention: decode at several lengths of context (GB/s of keys and values), and prefill of 512
// tokens (GOP/s, two operations a multiply-add, over the positions that are attended to).
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/attention.h"
#include "kernels/isa.h"

namespace jikji::kernels {
namespace {

struct Case {
  int32_t tokens, context;  // tokens at the end of `context` positions
};
constexpr Case kCases[] = {{1, 512}, {1, 4096}, {1, 32768}, {512, 512}, {512, 4096}};

void Run(benchmark::State& state, DType dtype, Isa isa, const Case& c, size_t threads) {
  constexpr int32_t kHeads = 32, kKvHeads = 8, kDim = 128, kPageTokens = 16;
  const Isa before = ActiveIsa();
  if (!SetIsa(isa)) return state.SkipWithError("not available");
  ThreadPool pool(threads);
  const int32_t page_count = c.context / kPageTokens;
  const size_t value_bytes = dtype == DType::kF32 ? 4 : 2;
  const size_t bytes = size_t{kKvHeads} * kDim * static_cast<size_t>(c.context) * value_bytes;
  std::vector<std::byte> keys(bytes), values(bytes);
  std::vector<int32_t> table(static_cast<size_t>(page_count));
  for (int32_t i = 0; i < page_count; ++i) table[static_cast<size_t>(i)] = i;
  const KvPages pages{keys.data(), values.data(), dtype, kPageTokens, kKvHeads, kDim};
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> kv(static_cast<size_t>(c.context) * kKvHeads * kDim);
  for (float& value : kv) value = normal(random);
  const AttentionSlice all{0, c.context, 0, table};
  StoreKv(pages, {&all, 1}, kv.data(), kv.data(), pool);
  const AttentionSlice slice{0, c.tokens, c.context - c.tokens, table};
  std::vector<float> q(static_cast<size_t>(c.tokens) * kHeads * kDim, 0.1f), out(q.size());
  for (auto _ : state) {
    Attention(pages, {&slice, 1}, q.data(), kHeads, 0.088f, 0, out.data(), pool);
    benchmark::DoNotOptimize(out.data());
  }
  const double positions = c.tokens * (c.context - (c.tokens - 1) / 2.0);
  const auto rate = [](double amount) {
    return benchmark::Counter(amount * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["GB/s"] = rate(2.0 * static_cast<double>(bytes));
  state.counters["GOP/s"] = rate(positions * kHeads * kDim * 4);
  (void)SetIsa(before);
}

const bool kRegistered = [] {
  for (size_t threads = 1; threads <= UsableCores(); threads *= 2) {
    for (DType dtype : {DType::kF32, DType::kF16}) {
      for (Isa isa : AvailableIsas()) {
        for (const Case& c : kCases) {
          const auto name =
              fmt::format("Attention/{}/{}/tokens:{}/context:{}/threads:{}", DTypeName(dtype),
                          IsaName(isa), c.tokens, c.context, threads);
          benchmark::RegisterBenchmark(name.c_str(), Run, dtype, isa, c, threads)
              ->UseRealTime()
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace jikji::kernels
