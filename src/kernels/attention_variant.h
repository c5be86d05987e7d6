// What an instruction set provides for attention; the driver (attention.cc) shares the work out and
// calls it.
#ifndef JIKJI_KERNELS_ATTENTION_VARIANT_H_
#define JIKJI_KERNELS_ATTENTION_VARIANT_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/attention.h"

namespace jikji::kernels {

// Positions of a block of the online softmax: its keys and values are 128 KiB at head_dim 128 in
// F16, which a second-level cache holds while the queries of a task pass over them.
inline constexpr int32_t kAttentionBlock = 256;
// Positions of a segment, whose softmax is computed apart from what comes before and then merged,
// so that a long past can be shared out among threads: 16 tasks a head at a context of 32,768, and
// a merge (three operations a dimension) costs a thousandth of what it merges.
inline constexpr int32_t kAttentionSegment = 2048;

// Consecutive rows of one slice, with the query heads of one key-value head, over the segments of
// positions [begin, end).
struct AttentionTask {
  const AttentionSlice* slice = nullptr;
  int32_t first = 0;  // token of the slice
  int32_t tokens = 0;
  int32_t kv_head = 0;
  int32_t begin = 0;  // a multiple of kAttentionSegment
  int32_t end = std::numeric_limits<int32_t>::max();
  // Where the sums go of a task that is one of several over the same rows, and of one segment:
  // PartialFloats for each of its queries. Null: the task is the only one.
  float* partial = nullptr;
};

// No instruction set has more lanes.
inline constexpr int32_t kMostLanes = 16;
// A partial softmax: its maximum, its total, and from here on the weighted values, which vectors
// may fill beyond head_dim.
inline constexpr int64_t kPartialValues = 2;
constexpr int64_t PartialFloats(int64_t head_dim) { return kPartialValues + head_dim + kMostLanes; }

struct AttentionCall {
  const KvPages* pages = nullptr;
  const float* q = nullptr;
  float* out = nullptr;
  int32_t heads = 0;
  float scale = 1.0f;
  int32_t window = 0;
};

struct AttentionVariant {
  // Bytes of scratch, 64-byte aligned, that a task of that many queries needs.
  int64_t (*scratch_bytes)(const KvPages& pages, int64_t queries);
  void (*run)(const AttentionCall& call, const AttentionTask& task, std::byte* scratch);
  // Merges the partial sums of tasks over the same rows, in order of position, and writes out.
  void (*merge)(const AttentionCall& call, const AttentionTask* tasks, int64_t count,
                std::byte* scratch);
  // One head of one token into its slot. key, value: [head_dim].
  void (*store)(const KvPages& pages, const float* key, const float* value, int64_t page,
                int64_t kv_head, int64_t slot);
};

extern const AttentionVariant kAttentionPortable;
#if defined(__x86_64__)
extern const AttentionVariant kAttentionAvx2;
extern const AttentionVariant kAttentionAvx512;
#endif

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_VARIANT_H_
