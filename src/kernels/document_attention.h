// Causal attention within the documents of a packed batch, and its gradient: what training needs
// where serving has attention.h's paged cache.
//
// Contract: a row attends to the rows of its own document up to itself and, if window > 0, to the
// last `window` of them only. The bits depend on the document alone, not on what it is packed with
// or on the threads. The backward pass computes the weights anew from the log-sum-exp of each row
// (Dao et al. 2022); what is held of them at a time is a strip of kQueryTile rows.
#ifndef JIKJI_KERNELS_DOCUMENT_ATTENTION_H_
#define JIKJI_KERNELS_DOCUMENT_ATTENTION_H_

#include <cstdint>
#include <span>

#include "base/thread_pool.h"

namespace jikji::kernels {

struct AttentionShape {
  int32_t heads = 0;  // a multiple of kv_heads
  int32_t kv_heads = 0;
  int32_t head_dim = 0;
  float scale = 0;     // of q · k
  int32_t window = 0;  // 0: all
};

struct DocumentRows {
  int32_t first = 0;
  int32_t count = 0;
};

// q, out: [rows, heads, head_dim]; k, v: [rows, kv_heads, head_dim]; log_sum_exp: [rows, heads].
// Documents do not overlap; rows of none are left as they are.
void DocumentAttention(const AttentionShape& shape, std::span<const DocumentRows> documents,
                       const float* q, const float* k, const float* v, float* out,
                       float* log_sum_exp, ThreadPool& pool);

// d_q, d_k, d_v become the gradients, given d_out and what the forward pass read and wrote; rows of
// no document become zero.
void DocumentAttentionBackward(const AttentionShape& shape, std::span<const DocumentRows> documents,
                               int64_t rows, const float* q, const float* k, const float* v,
                               const float* out, const float* log_sum_exp, const float* d_out,
                               float* d_q, float* d_k, float* d_v, ThreadPool& pool);

// Bytes of scratch that the backward pass takes for so many rows, beside what is passed to it.
uint64_t DocumentAttentionScratch(const AttentionShape& shape, int64_t rows, int64_t longest,
                                  size_t threads);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_DOCUMENT_ATTENTION_H_
