// Gemm over the shapes of a training step: forward (NT), the gradient of the input (NN) and of the
// weights (TN). `GFLOP/s` beside Peak/*, which is what the vector units give without memory.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/isa.h"

namespace jikji::kernels {
namespace {

void Multiply(benchmark::State& state, Isa isa, const char* form, int64_t tokens, int64_t rows,
              int64_t cols, size_t threads) {
  const Isa before = ActiveIsa();
  if (!SetIsa(isa)) return state.SkipWithError("not available");
  ThreadPool pool(threads);
  const std::vector<float> w(static_cast<size_t>(rows * cols), 0.5f);
  const std::vector<float> x(static_cast<size_t>(tokens * cols), 0.25f);
  const std::vector<float> dy(static_cast<size_t>(tokens * rows), 0.125f);
  std::vector<float> out(
      static_cast<size_t>(std::max({tokens * rows, tokens * cols, rows * cols})));
  for (auto _ : state) {
    if (form[0] == 'f') {
      Gemm({tokens, rows, cols}, Plain(x.data(), cols), Transposed(w.data(), cols), out.data(),
           rows, false, pool);
    } else if (form[0] == 'x') {
      Gemm({tokens, cols, rows}, Plain(dy.data(), rows), Plain(w.data(), cols), out.data(), cols,
           false, pool);
    } else {
      Gemm({rows, cols, tokens}, Transposed(dy.data(), rows), Plain(x.data(), cols), out.data(),
           cols, true, pool);
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(tokens * rows * cols),
                                                 benchmark::Counter::kIsIterationInvariantRate);
  (void)SetIsa(before);
}

// Runs before main, which benchmark_main owns.
const bool kRegistered = [] {
  struct Shape {
    int64_t tokens, rows, cols;
  };
  for (const size_t threads : {1, 2}) {
    for (const Isa isa : AvailableIsas()) {
      for (const Shape& s : {Shape{4096, 192, 192},
                             {4096, 64, 192},
                             {4096, 512, 192},
                             {4096, 192, 512},
                             {1024, 4096, 192},
                             {1024, 1536, 512},
                             {512, 3072, 1024}}) {
        for (const char* form : {"forward", "x-gradient", "w-gradient"}) {
          const auto name = fmt::format("Gemm/{}/{}/tokens:{}/{}x{}/threads:{}", form, IsaName(isa),
                                        s.tokens, s.rows, s.cols, threads);
          benchmark::RegisterBenchmark(name.c_str(), Multiply, isa, form, s.tokens, s.rows, s.cols,
                                       threads)
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
