// MatMul over the timed cases of its tests, for each weight type, instruction set and number of
// threads. `GB/s` counts the weights' bytes once a call, `GOP/s` two operations a multiply-add.
//
// The weights of a call rotate through 384 MiB of matrices where one token is timed, so that they
// come from memory as in a real decode, not from a large last-level cache. Read/* is what this
// machine's memory gives: the roofline of decode.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <thread>
#include <vector>

#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/matmul_cases.h"

namespace jikji::kernels {
namespace {

constexpr uint64_t kDecodeBytes = 384ull << 20;

void Read(benchmark::State& state, size_t threads) {
  ThreadPool pool(threads);
  std::vector<uint64_t> data(kDecodeBytes / 8, 1);
  for (auto _ : state) {
    pool.ParallelFor(data.size(), 1 << 16, [&](size_t begin, size_t end) {
      uint64_t sum = 0;
      for (size_t i = begin; i < end; ++i) sum += data[i];
      benchmark::DoNotOptimize(sum);
    });
  }
  state.counters["GB/s"] = benchmark::Counter(static_cast<double>(kDecodeBytes) * 1e-9,
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void Multiply(benchmark::State& state, DType dtype, Isa isa, const MatMulCase& c, size_t threads) {
  const Isa before = ActiveIsa();
  if (!SetIsa(isa)) return state.SkipWithError("not available");
  ThreadPool pool(threads);
  const uint64_t bytes =
      *RowBytes(dtype, static_cast<uint64_t>(c.cols)) * static_cast<uint64_t>(c.rows);
  const size_t copies = c.tokens == 1 && c.rows * c.cols > (1 << 20)
                            ? static_cast<size_t>(kDecodeBytes / bytes + 1)
                            : 1;
  const RandomWeights first = MakeWeights(dtype, c.rows, c.cols, 1);
  std::vector<std::vector<std::byte>> stored(copies, first.bytes);
  std::vector<WeightMatrix> weights;
  for (const auto& matrix : stored) {
    TensorView view = first.view;
    view.data = matrix;
    weights.push_back(*PrepareAlone(view));
  }
  const std::vector<float> x = MakeActivations(c.tokens * c.cols, 2);
  std::vector<float> y(static_cast<size_t>(c.tokens * c.rows));
  size_t next = 0;
  for (auto _ : state) {
    MatMul(weights[next], x.data(), c.tokens, y.data(), pool);
    next = (next + 1) % copies;
    benchmark::DoNotOptimize(y.data());
  }
  const auto rate = [](double amount) {
    return benchmark::Counter(amount * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["GB/s"] = rate(static_cast<double>(bytes));
  state.counters["GOP/s"] = rate(2.0 * static_cast<double>(c.rows * c.cols * c.tokens));
  (void)SetIsa(before);
}

// Runs before main, which benchmark_main owns.
const bool kRegistered = [] {
  for (size_t threads = 1; threads <= UsableCores(); threads *= 2) {
    benchmark::RegisterBenchmark(fmt::format("Read/threads:{}", threads).c_str(), Read, threads)
        ->UseRealTime();
    for (DType dtype : kWeightTypes) {
      for (Isa isa : AvailableIsas()) {
        for (const MatMulCase& c : kMatMulCases) {
          if (!c.timed) continue;
          const auto name = fmt::format("MatMul/{}/{}/{}x{}/tokens:{}/threads:{}", DTypeName(dtype),
                                        IsaName(isa), c.rows, c.cols, c.tokens, threads);
          benchmark::RegisterBenchmark(name.c_str(), Multiply, dtype, isa, c, threads)
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
