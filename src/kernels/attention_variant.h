// What an instruction set provides for attention; the driver (attention.cc) shares the work out and
// calls it.
#ifndef JIKJI_KERNELS_ATTENTION_VARIANT_H_
#define JIKJI_KERNELS_ATTENTION_VARIANT_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/attention.h"

namespace jikji::kernels {

// Consecutive rows of one slice, with the query heads of one key-value head.
struct AttentionTask {
  const AttentionSlice* slice = nullptr;
  int32_t first = 0;  // token of the slice
  int32_t tokens = 0;
  int32_t kv_head = 0;
};

struct AttentionCall {
  const KvPages* pages = nullptr;
  const float* q = nullptr;
  float* out = nullptr;
  int32_t heads = 0;
  float scale = 1.0f;
  int32_t window = 0;
};

// Positions of a block of the online softmax: its keys and values are 128 KiB at head_dim 128 in
// f16, which a second-level cache holds while the queries of a task pass over them.
inline constexpr int32_t kAttentionBlock = 256;
// No instruction set has more lanes.
inline constexpr int32_t kMostLanes = 16;

// One row and head in the making.
struct AttentionQuery {
  const float* in = nullptr;
  float* out = nullptr;
  int32_t begin = 0;  // the positions it attends to
  int32_t end = 0;
  float maximum = -std::numeric_limits<float>::infinity();  // of the scores so far
  float total = 0.0f;                                       // of the weights so far
  float* scaled = nullptr;  // scale · q, padded with zeros to whole vectors
  float* sum = nullptr;     // Σ weight · value so far, likewise
  float* scores = nullptr;  // of the block, from `from` on; then the weights
  int32_t from = 0;         // those of its positions that lie in the block
  int32_t to = 0;
};

// Floats that one query of a task needs.
inline int64_t AttentionScratch(int64_t head_dim) {
  return 2 * (head_dim + kMostLanes) + kAttentionBlock;
}

struct AttentionVariant {
  // queries: [tokens · heads / kv_heads]; floats: AttentionScratch for each.
  void (*run)(const AttentionCall& call, const AttentionTask& task, AttentionQuery* queries,
              float* floats);
  // f32 to the f16 of a page, to the nearest, ties to even.
  void (*store_f16)(const float* from, int64_t count, std::byte* to);
};

extern const AttentionVariant kAttentionPortable;
#if defined(__x86_64__)
extern const AttentionVariant kAttentionAvx2;
extern const AttentionVariant kAttentionAvx512;
#endif

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_VARIANT_H_
