#include "kernels/attention.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/attention_variant.h"
#include "kernels/isa.h"

namespace jikji::kernels {
namespace {

const AttentionVariant& Variant() {
#if defined(__x86_64__)
  switch (ActiveIsa()) {
    case Isa::kAvx512:
      return kAttentionAvx512;
    case Isa::kAvx2:
      return kAttentionAvx2;
    case Isa::kPortable:
      break;
  }
#endif
  return kAttentionPortable;
}

// Grows and is kept for the thread's next task.
struct Scratch {
  std::vector<AttentionQuery> queries;
  std::vector<float> floats;
};

// Queries of a task: keys and values come from memory once for all of them.
constexpr int32_t kTaskQueries = 32;

void AddTasks(const KvPages& pages, std::span<const AttentionSlice> slices, int32_t group,
              std::vector<AttentionTask>& tasks) {
  const int32_t tokens = std::max(1, kTaskQueries / group);
  for (const AttentionSlice& slice : slices) {
    for (int32_t first = 0; first < slice.tokens; first += tokens) {
      for (int32_t head = 0; head < pages.kv_heads; ++head) {
        tasks.push_back({&slice, first, std::min(tokens, slice.tokens - first), head});
      }
    }
  }
}

}  // namespace

void StoreKv(const KvPages& pages, std::span<const AttentionSlice> slices, const float* k,
             const float* v, ThreadPool& pool) {
  const AttentionVariant& variant = Variant();
  const int64_t dim = pages.head_dim;
  const int64_t row_values = dim * pages.kv_heads;
  const auto store = [&](const float* from, std::byte* cache, int64_t offset) {
    if (pages.dtype == DType::kF32) {
      std::memcpy(cache + offset * 4, from, static_cast<size_t>(dim) * 4);
    } else {
      variant.store_f16(from, dim, cache + offset * 2);
    }
  };
  for (const AttentionSlice& slice : slices) {
    const auto grain = static_cast<size_t>(16384 / row_values + 1);
    pool.ParallelFor(static_cast<size_t>(slice.tokens), grain, [&](size_t begin, size_t end) {
      for (auto t = static_cast<int32_t>(begin); t < static_cast<int32_t>(end); ++t) {
        const int32_t position = slice.start + t;
        const int64_t page = slice.pages[static_cast<size_t>(position / pages.page_tokens)];
        const int64_t row = slice.first_row + t;
        for (int32_t head = 0; head < pages.kv_heads; ++head) {
          const int64_t from = row * row_values + head * dim;
          const int64_t to =
              ((page * pages.kv_heads + head) * pages.page_tokens + position % pages.page_tokens) *
              dim;
          store(k + from, pages.keys, to);
          store(v + from, pages.values, to);
        }
      }
    });
  }
}

void Attention(const KvPages& pages, std::span<const AttentionSlice> slices, const float* q,
               int32_t heads, float scale, int32_t window, float* out, ThreadPool& pool) {
  const AttentionVariant& variant = Variant();
  const AttentionCall call{&pages, q, out, heads, scale, window};
  thread_local std::vector<AttentionTask> cached;
  std::vector<AttentionTask>& tasks = cached;  // the caller's, whichever thread reads it below
  tasks.clear();
  AddTasks(pages, slices, heads / pages.kv_heads, tasks);
  // Work of all tasks in multiply-adds; small steps are done at once by the caller.
  int64_t work = 0;
  for (const AttentionSlice& slice : slices) {
    const int64_t positions =
        window > 0 ? std::min(window, slice.start + slice.tokens) : slice.start + slice.tokens;
    work += positions * slice.tokens * heads * pages.head_dim;
  }
  constexpr int64_t kWorthSharing = 64 << 10;  // several microseconds
  const size_t grain = work < kWorthSharing ? tasks.size() : 1;
  pool.ParallelFor(tasks.size(), grain, [&](size_t begin, size_t end) {
    thread_local Scratch scratch;
    const size_t group = static_cast<size_t>(heads / pages.kv_heads);
    for (size_t i = begin; i < end; ++i) {
      const size_t queries = static_cast<size_t>(tasks[i].tokens) * group;
      const size_t floats = queries * static_cast<size_t>(AttentionScratch(pages.head_dim));
      if (scratch.queries.size() < queries) scratch.queries.resize(queries);
      if (scratch.floats.size() < floats) scratch.floats.resize(floats);
      variant.run(call, tasks[i], scratch.queries.data(), scratch.floats.data());
    }
  });
}

}  // namespace jikji::kernels
