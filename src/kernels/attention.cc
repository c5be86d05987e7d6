#include "kernels/attention.h"

#include <algorithm>
#include <vector>

#include "kernels/attention_variant.h"
#include "kernels/isa.h"

namespace jikji::kernels {
namespace {

const AttentionVariant& Variant() {
#if defined(__x86_64__)
  switch (ActiveIsa()) {
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
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
class Scratch {
 public:
  std::byte* Fit(int64_t bytes) {
    const auto lines = static_cast<size_t>(bytes) / sizeof(Line) + 1;
    if (lines_.size() < lines) lines_.resize(lines);
    return lines_.front().bytes;
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines_;
};

// Queries of a task at most: keys and values come from memory once for all of them. Their scaled
// queries and sums at head_dim 128 take 96 KiB, which lie in a second-level cache with a block.
constexpr int32_t kTaskQueries = 64;
// Tasks for each thread, at least, where there is enough to share: a thread that ends early then
// waits for a quarter of its own time at most.
constexpr int64_t kTasksPerThread = 4;

// The work of one call. Kept from call to call by the thread that makes them.
class Plan {
 public:
  std::vector<AttentionTask> tasks;
  // Tasks [first, first + count) have partial sums of the same rows.
  struct Split {
    size_t first;
    int64_t count;
  };
  std::vector<Split> splits;
  int64_t work = 0;  // multiply-adds of scores

  void Make(const AttentionCall& call, std::span<const AttentionSlice> slices, size_t threads) {
    const KvPages& pages = *call.pages;
    const int32_t group = call.heads / pages.kv_heads;
    tasks.clear();
    splits.clear();
    partial_floats_ = 0;
    int64_t pairs = 0;  // of a query head and a position, for one key-value head
    for (const AttentionSlice& slice : slices) {
      pairs += int64_t{slice.tokens} * group * Positions(call, slice.start, slice.tokens);
    }
    work = pairs * pages.kv_heads * pages.head_dim;
    const int64_t share = std::max<int64_t>(
        1, pairs * pages.kv_heads / (static_cast<int64_t>(threads) * kTasksPerThread));
    // The longest first, so that no thread begins one when the others are about to end.
    order_.clear();
    for (const AttentionSlice& slice : slices) order_.push_back(&slice);
    std::stable_sort(order_.begin(), order_.end(), [](const auto* a, const auto* b) {
      return a->start + a->tokens > b->start + b->tokens;
    });
    const int32_t most = std::max(1, kTaskQueries / group);
    for (const AttentionSlice* slice : order_) {
      int32_t tokens = std::min(most, slice->tokens);
      const int32_t end = slice->start + slice->tokens;
      while (tokens > 1 &&
             int64_t{tokens} * group * Positions(call, end - tokens, tokens) > share) {
        tokens = (tokens + 1) / 2;
      }
      for (int32_t head = 0; head < pages.kv_heads; ++head) {
        for (int32_t last = slice->tokens; last > 0; last -= tokens) {
          const int32_t first = std::max(0, last - tokens);
          Add(call, {.slice = slice, .first = first, .tokens = last - first, .kv_head = head},
              threads > 1 ? share : work);
        }
      }
    }
    if (partials_.size() < partial_floats_) partials_.resize(partial_floats_);
    size_t at = 0;
    for (const Split& split : splits) {
      for (AttentionTask& task : std::span(tasks).subspan(split.first, split.count)) {
        task.partial = partials_.data() + at;
        at += PartialsOf(call, task);
      }
    }
  }

 private:
  // That the longest-sighted of the tokens attends to.
  static int64_t Positions(const AttentionCall& call, int32_t start, int32_t tokens) {
    const int32_t all = start + tokens;
    return call.window > 0 ? std::min(call.window + tokens - 1, all) : all;
  }

  static size_t PartialsOf(const AttentionCall& call, const AttentionTask& task) {
    const int64_t queries = int64_t{task.tokens} * (call.heads / call.pages->kv_heads);
    return static_cast<size_t>(queries * PartialFloats(call.pages->head_dim));
  }

  // As one task, or as one for each segment where it is more than a share of the work.
  void Add(const AttentionCall& call, const AttentionTask& task, int64_t share) {
    const int32_t start = task.slice->start + task.first;
    const int64_t positions = Positions(call, start, task.tokens);
    const int32_t end = start + task.tokens;
    const auto begin = static_cast<int32_t>(end - positions);
    const int32_t first = begin / kAttentionSegment * kAttentionSegment;
    const int64_t queries = int64_t{task.tokens} * (call.heads / call.pages->kv_heads);
    if (queries * positions <= share || end - first <= kAttentionSegment) {
      tasks.push_back(task);
      return;
    }
    splits.push_back({tasks.size(), 0});
    for (int32_t segment = first; segment < end; segment += kAttentionSegment) {
      tasks.push_back(task);
      tasks.back().begin = segment;
      tasks.back().end = segment + kAttentionSegment;
      partial_floats_ += PartialsOf(call, task);
      ++splits.back().count;
    }
  }

  std::vector<const AttentionSlice*> order_;
  std::vector<float> partials_;
  size_t partial_floats_ = 0;
};

}  // namespace

void StoreKv(const KvPages& pages, std::span<const AttentionSlice> slices, const float* k,
             const float* v, ThreadPool& pool) {
  const AttentionVariant& variant = Variant();
  const int64_t row_values = int64_t{pages.head_dim} * pages.kv_heads;
  for (const AttentionSlice& slice : slices) {
    const auto grain = static_cast<size_t>(16384 / row_values + 1);
    pool.ParallelFor(static_cast<size_t>(slice.tokens), grain, [&](size_t begin, size_t end) {
      for (auto t = static_cast<int32_t>(begin); t < static_cast<int32_t>(end); ++t) {
        const int32_t position = slice.start + t;
        const int32_t page = slice.pages[static_cast<size_t>(position / pages.page_tokens)];
        for (int32_t head = 0; head < pages.kv_heads; ++head) {
          const int64_t from = (slice.first_row + t) * row_values + head * pages.head_dim;
          variant.store(pages, k + from, v + from, page, head, position % pages.page_tokens);
        }
      }
    });
  }
}

void Attention(const KvPages& pages, std::span<const AttentionSlice> slices, const float* q,
               int32_t heads, float scale, int32_t window, float* out, ThreadPool& pool) {
  const AttentionVariant& variant = Variant();
  const AttentionCall call{&pages, q, out, heads, scale, window};
  thread_local Plan kept;
  Plan& plan = kept;  // the caller's, whichever thread reads it below
  plan.Make(call, slices, pool.size());
  constexpr int64_t kWorthSharing = 64 << 10;  // several microseconds; less, the caller does alone
  const bool share = plan.work >= kWorthSharing;
  const auto scratch_for = [&](const AttentionTask& task) {
    thread_local Scratch scratch;  // declared here, where each thread passes and makes its own
    return scratch.Fit(
        variant.scratch_bytes(pages, int64_t{task.tokens} * (heads / pages.kv_heads)));
  };
  pool.ParallelFor(plan.tasks.size(), share ? 1 : plan.tasks.size(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      variant.run(call, plan.tasks[i], scratch_for(plan.tasks[i]));
    }
  });
  if (plan.splits.empty()) return;
  pool.ParallelFor(plan.splits.size(), 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const AttentionTask* tasks = plan.tasks.data() + plan.splits[i].first;
      variant.merge(call, tasks, plan.splits[i].count, scratch_for(*tasks));
    }
  });
}

}  // namespace jikji::kernels
