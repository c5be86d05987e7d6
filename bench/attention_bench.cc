// Attention at the shapes of real models: decode of several streams (GB/s of the keys and values
// that are read) and prefill of 512 tokens (GFLOP/s, two operations a multiply-add, over the
// positions that are attended to).
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "kernels/attention.h"
#include "kernels/isa.h"
#include "model/kv_cache.h"

namespace jikji::kernels {
namespace {

struct Shape {
  const char* name;
  int32_t heads, kv_heads, head_dim;
};
constexpr Shape kShapes[] = {{"qwen3-0.6b", 16, 8, 128}, {"llama3.2-1b", 32, 8, 64}};

// `streams` sequences of `context` positions, of which the last `tokens` are computed. The streams
// together are larger than a cache, as the layers of a model are.
struct Case {
  const char* name;
  int32_t streams, tokens, context;
};
constexpr Case kCases[] = {{"decode", 64, 1, 512},
                           {"decode", 8, 1, 4096},
                           {"decode", 1, 1, 32768},
                           {"prefill", 1, 512, 512},
                           {"prefill", 1, 512, 4096}};
constexpr int32_t kPageTokens = 16;

void Run(benchmark::State& state, const Shape& shape, DType dtype, Isa isa, const Case& c,
         size_t threads) {
  const Isa before = ActiveIsa();
  if (!SetIsa(isa)) return state.SkipWithError("not available");
  ThreadPool pool(threads);
  const int32_t stream_pages = c.context / kPageTokens;
  const auto row_values = static_cast<size_t>(shape.kv_heads) * static_cast<size_t>(shape.head_dim);
  DecoderSpec spec;
  spec.kv_heads = shape.kv_heads;
  spec.head_dim = shape.head_dim;
  spec.layers.resize(1);
  const auto cache = KvCache::Create(spec, c.streams * stream_pages, kPageTokens, dtype);
  if (!cache) return state.SkipWithError(cache.error().ToString().c_str());
  const KvPages pages = cache->Layer(0);
  std::mt19937 random(1);
  std::vector<int32_t> table(static_cast<size_t>(c.streams * stream_pages));
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<int32_t>(i);
  std::shuffle(table.begin(), table.end(), random);
  std::normal_distribution<float> normal;
  std::vector<float> kv(static_cast<size_t>(c.context) * row_values);
  for (float& value : kv) value = normal(random);
  std::vector<AttentionSlice> slices;
  for (int32_t i = 0; i < c.streams; ++i) {
    const auto own = std::span(table).subspan(static_cast<size_t>(i * stream_pages),
                                              static_cast<size_t>(stream_pages));
    const AttentionSlice all{0, c.context, 0, own};
    StoreKv(pages, {&all, 1}, kv.data(), kv.data(), pool);
    slices.push_back({i * c.tokens, c.tokens, c.context - c.tokens, own});
  }
  std::vector<float> q(static_cast<size_t>(c.streams * c.tokens * shape.heads * shape.head_dim));
  for (float& value : q) value = normal(random);
  std::vector<float> out(q.size());
  for (auto _ : state) {
    Attention(pages, slices, q.data(), shape.heads, 0.088f, 0, out.data(), pool);
    benchmark::DoNotOptimize(out.data());
  }
  const double positions = c.streams * c.tokens * (c.context - (c.tokens - 1) / 2.0);
  const auto rate = [](double amount) {
    return benchmark::Counter(amount * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["GB/s"] =
      rate(static_cast<double>(c.streams * c.context * spec.KvBytesPerToken(dtype)));
  state.counters["GFLOP/s"] = rate(positions * shape.heads * shape.head_dim * 4);
  (void)SetIsa(before);
}

const bool kRegistered = [] {
  for (const Shape& shape : kShapes) {
    for (size_t threads = 1; threads <= UsableCores(); threads *= 2) {
      for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ8_0}) {
        for (const Isa isa : AvailableIsas()) {
          for (const Case& c : kCases) {
            const auto name =
                fmt::format("{}/{}/{}/{}/streams:{}/context:{}/threads:{}", shape.name, c.name,
                            DTypeName(dtype), IsaName(isa), c.streams, c.context, threads);
            benchmark::RegisterBenchmark(name.c_str(), Run, shape, dtype, isa, c, threads)
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
          }
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace jikji::kernels
