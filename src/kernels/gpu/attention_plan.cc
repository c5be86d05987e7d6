#include "kernels/gpu/attention_plan.h"

#include <algorithm>

namespace jikji::kernels::gpu {
namespace {

// A slice of so few rows is decoding, perhaps with drafts.
constexpr int32_t kSplitRows = 8;

// How the heads of one KV head and the rows of a slice fill tiles of 16.
struct Shape {
  int32_t heads;       // of an item
  int32_t head_items;  // of one KV head
  int32_t rows;        // of an item

  Shape(int32_t all_heads, int32_t kv_heads) {
    const int32_t group = all_heads / kv_heads;
    head_items = (group + kAttentionRows - 1) / kAttentionRows;
    heads = (group + head_items - 1) / head_items;
    rows = kAttentionRows / heads;
  }
};

}  // namespace

void AttentionPlan::Make(std::span<const AttentionSlice> slices, int32_t heads, int32_t kv_heads,
                         int32_t page_tokens, int32_t window, int64_t most_parts) {
  items.clear();
  merges.clear();
  pages.clear();
  parts = 0;
  const Shape shape(heads, kv_heads);
  const int32_t group = heads / kv_heads;
  int64_t unsplit_left = 0;
  for (const AttentionSlice& slice : slices) {
    unsplit_left += UnsplitParts(slice.tokens, heads, kv_heads);
  }
  for (const AttentionSlice& slice : slices) {
    const auto table = static_cast<int32_t>(pages.size());
    const int32_t end = slice.start + slice.tokens;
    const int32_t used = (end + page_tokens - 1) / page_tokens;
    pages.insert(pages.end(), slice.pages.begin(), slice.pages.begin() + used);
    const int64_t tiles = UnsplitParts(slice.tokens, heads, kv_heads);
    unsplit_left -= tiles;
    const int32_t chunks_of_slice = (end + kChunk - 1) / kChunk;
    const bool split =
        slice.tokens <= kSplitRows && parts + tiles * chunks_of_slice + unsplit_left <= most_parts;
    for (int32_t row = 0; row < slice.tokens; row += shape.rows) {
      const int32_t rows = std::min(shape.rows, slice.tokens - row);
      const int32_t position = slice.start + row;
      const int32_t first_seen = window == 0 ? 0 : std::max(0, position - window + 1);
      const int32_t first_chunk = first_seen / kChunk;
      const int32_t chunks = (position + rows - 1) / kChunk - first_chunk + 1;
      for (int32_t kv_head = 0; kv_head < kv_heads; ++kv_head) {
        for (int32_t head = 0; head < group; head += shape.heads) {
          AttentionItem item{.first_row = slice.first_row + row,
                             .rows = rows,
                             .position = position,
                             .page_table = table,
                             .first_head = kv_head * group + head,
                             .heads = std::min(shape.heads, group - head),
                             .first_chunk = first_chunk,
                             .chunks = chunks,
                             .part = static_cast<int32_t>(parts),
                             .whole = 1};
          if (!split || chunks == 1) {
            items.push_back(item);
            ++parts;
            continue;
          }
          merges.push_back(item);
          for (int32_t chunk = 0; chunk < chunks; ++chunk, ++parts) {
            item.first_chunk = first_chunk + chunk;
            item.chunks = 1;
            item.part = static_cast<int32_t>(parts);
            item.whole = 0;
            items.push_back(item);
          }
        }
      }
    }
  }
}

int64_t UnsplitParts(int64_t rows, int32_t heads, int32_t kv_heads) {
  const Shape shape(heads, kv_heads);
  return (rows + shape.rows - 1) / shape.rows * kv_heads * shape.head_items;
}

uint64_t PartBytes(int64_t parts, int32_t head_dim) {
  return static_cast<uint64_t>(parts) * kAttentionRows * static_cast<uint64_t>(head_dim + 2) *
         sizeof(float);
}

}  // namespace jikji::kernels::gpu
