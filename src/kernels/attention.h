// Causal attention over a paged KV cache, for a ragged batch of prefill and decode slices in one
// call.
//
// Contract (promise 1): the output of one token depends on its query and on the keys and values at
// positions up to its own, read from the pages in order of position: not on the slice it came in,
// the pages' numbers, or the threads.
#ifndef JIKJI_KERNELS_ATTENTION_H_
#define JIKJI_KERNELS_ATTENTION_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "tensor/dtype.h"

namespace jikji::kernels {

// Bytes after a plane of keys or values that must be readable: vectors reach beyond its end.
inline constexpr size_t kKvPlanePadding = 64;

// One layer's pages, a plane of keys and one of values: [page][kv_head], and in each what
// attention_layout.h says, head_dim values for each slot. `dtype` is F32, F16, F8_E4M3 or Q8_0, the
// last with head_dim a multiple of 32.
struct KvPages {
  std::byte* keys = nullptr;
  std::byte* values = nullptr;
  DType dtype = DType::kF16;
  int32_t page_tokens = 16;  // slots of a page
  int32_t kv_heads = 0;
  int32_t head_dim = 0;
};

// `tokens` consecutive tokens of one sequence: rows [first_row, first_row + tokens) of the batch,
// at positions [start, start + tokens). pages[p / page_tokens] holds position p.
struct AttentionSlice {
  int32_t first_row = 0;
  int32_t tokens = 0;
  int32_t start = 0;
  std::span<const int32_t> pages;
};

// Writes k and v of the slices' tokens into the pages. k, v: [rows, kv_heads, head_dim] f32.
void StoreKv(const KvPages& pages, std::span<const AttentionSlice> slices, const float* k,
             const float* v, ThreadPool& pool);

// out[row, h] = Σ_p softmax_p(scale · q[row, h] · K[p, h / group]) V[p, h / group], over positions
// p ≤ the row's own and, if window > 0, p > own − window. q, out: [rows, heads, head_dim] f32;
// heads is a multiple of kv_heads. StoreKv comes before.
void Attention(const KvPages& pages, std::span<const AttentionSlice> slices, const float* q,
               int32_t heads, float scale, int32_t window, float* out, ThreadPool& pool);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_H_
