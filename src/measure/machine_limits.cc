#include "measure/machine_limits.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>

#include "measure/limit_loops.h"
#include "tensor/quant/half.h"

namespace jikji::measure {
namespace {

// More than the last-level caches of most servers; where one is larger, the figure is too high.
constexpr size_t kReadBytes = 384u << 20;
constexpr size_t kChunkBytes = 1u << 20;
constexpr size_t kHugePage = 2u << 20;
// A run lasts milliseconds, so that some of these meet no interruption.
constexpr int kRuns = 12;
constexpr int64_t kRounds = 1 << 18;

// Keeps what a loop computed from being thrown away.
std::atomic<uint64_t> g_sink;

template <class Body>
double BestRate(double amount, const Body& body) {
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, amount / took.count());
  }
  return best;
}

LoopOperands MakeOperands() {
  LoopOperands operands = {};
  std::fill(std::begin(operands.ones), std::end(operands.ones), 1.0f);
  std::fill(std::begin(operands.byte_ones), std::end(operands.byte_ones), 1);
  std::fill(std::begin(operands.bf16_ones), std::end(operands.bf16_ones), F32ToBF16(1.0f));
  return operands;
}

Result<double> ReadRate(const LimitLoops& loops, ThreadPool& pool) {
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  const std::unique_ptr<std::byte, Free> data(
      static_cast<std::byte*>(std::aligned_alloc(kHugePage, kReadBytes)));
  if (!data) {
    return Fail(ErrorCode::kResourceExhausted,
                fmt::format("no memory to measure reads ({} MiB)", kReadBytes >> 20));
  }
  // A limit should not depend on how many page tables must be read; where refused, it does.
  (void)madvise(data.get(), kReadBytes, MADV_HUGEPAGE);
  const auto for_chunks = [&](const auto& body) {
    pool.ParallelFor(kReadBytes / kChunkBytes, 1, [&](size_t begin, size_t end) {
      body(data.get() + begin * kChunkBytes, (end - begin) * kChunkBytes);
    });
  };
  for_chunks([](std::byte* at, size_t bytes) { std::fill_n(at, bytes, std::byte{1}); });
  return BestRate(static_cast<double>(kReadBytes), [&] {
    for_chunks([&](const std::byte* at, size_t bytes) {
      g_sink.fetch_add(loops.read(at, bytes), std::memory_order_relaxed);
    });
  });
}

template <class Loop>
double OpsRate(const Loop& loop, const LoopOperands& operands, ThreadPool& pool) {
  // Four pieces for each thread: the one that begins late takes fewer.
  const size_t pieces = 4 * pool.size();
  const double ops = 2 * loop(operands, kRounds) * static_cast<double>(pieces);
  return BestRate(ops, [&] {
    pool.ParallelFor(pieces, 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        g_sink.fetch_add(static_cast<uint64_t>(loop(operands, kRounds)), std::memory_order_relaxed);
      }
    });
  });
}

}  // namespace

Result<MachineLimits> MeasureLimits(ThreadPool& pool) {
  const kernels::Isa isa = kernels::ActiveIsa();
  const LimitLoops& loops = LimitLoopsOf(isa);
  const LoopOperands operands = MakeOperands();
  MachineLimits limits;
  JIKJI_ASSIGN(limits.read_bytes, ReadRate(loops, pool));
  limits.int8_ops = OpsRate(loops.int8_multiply_adds, operands, pool);
  limits.bf16_ops = OpsRate(
      [&](const LoopOperands& ones, int64_t rounds) { return BF16MultiplyAdds(isa, ones, rounds); },
      operands, pool);
  limits.f32_ops = OpsRate(loops.f32_multiply_adds, operands, pool);
  return limits;
}

}  // namespace jikji::measure
