// A step's attention cut into items for warps (attention.h), on the host.
//
// A slice that decodes is split by chunks of positions, so that one long sequence keeps the whole
// chip busy; a prompt's rows are many already. Neither changes a bit of what comes out.
#ifndef JIKJI_KERNELS_GPU_ATTENTION_PLAN_H_
#define JIKJI_KERNELS_GPU_ATTENTION_PLAN_H_

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/attention.h"
#include "kernels/gpu/attention.h"

namespace jikji::kernels::gpu {

struct AttentionPlan {
  std::vector<AttentionItem> items;
  std::vector<AttentionItem> merges;  // for jikji_attention_merge
  std::vector<int32_t> pages;         // of the slices, one after another
  int64_t parts = 0;

  // The vectors' memory is kept from one step to the next. A slice is split where it has at most
  // `split_rows` rows and its parts are within `most_parts` of the step.
  void Make(std::span<const AttentionSlice> slices, int32_t heads, int32_t kv_heads,
            int32_t page_tokens, int32_t window, int64_t most_parts);
};

// Parts that a step of so many rows may need without any split.
int64_t UnsplitParts(int64_t rows, int32_t heads, int32_t kv_heads);
// Bytes of so many parts.
uint64_t PartBytes(int64_t parts, int32_t head_dim);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_ATTENTION_PLAN_H_
