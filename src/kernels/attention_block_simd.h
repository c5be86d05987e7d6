// Where the keys and values of a block of positions lie, found once for all queries of a task: a
// page takes a division and a look into the table.
#ifndef JIKJI_KERNELS_ATTENTION_BLOCK_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_BLOCK_SIMD_H_

#include <cstddef>
#include <cstdint>

#include "kernels/attention_layout.h"
#include "kernels/attention_variant.h"

namespace jikji::kernels {

// In place of std::min and std::max, whose code would be shared with files compiled for lesser
// instruction sets; static, so that these are not.
template <class T>
static constexpr T Lesser(T a, T b) {
  return b < a ? b : a;
}
template <class T>
static constexpr T Greater(T a, T b) {
  return a < b ? b : a;
}

// A pointer that the compiler takes as it is: it would otherwise keep, for each of the constant
// offsets that are added to it, a register of its own, and run out of them.
template <class T>
static T* Opaque(T* pointer) {
  asm("" : "+r"(pointer));
  return pointer;
}

// Hands out pieces of a task's scratch; of none, to count what it would take.
class Arena {
 public:
  explicit Arena(std::byte* base) : base_(base) {}
  bool measures() const { return base_ == nullptr; }
  int64_t used() const { return used_; }

  template <class T>
  T* Take(int64_t count) {
    T* piece = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + used_);
    used_ += (count * static_cast<int64_t>(sizeof(T)) + 63) / 64 * 64;
    return piece;
  }

 private:
  std::byte* base_;
  int64_t used_ = 0;
};

// Vectors of the last positions reach beyond the block.
inline constexpr int32_t kScoreStride = kAttentionBlock + kMostLanes;
// Positions that are fetched into the cache ahead of their use. A core takes at least 5 ns for one
// (Q8_0 keys at head_dim 128), and memory some 100 ns to answer, more when it is busy.
inline constexpr int32_t kAheadPositions = 64;

// Consecutive slots of a page, at most one vector of them.
struct KeyRun {
  const std::byte* key;    // of dimension 0
  const std::byte* scale;  // of group 0, and of the values; where there are scales
  const std::byte* value_scale;
  int32_t at;  // position, from the block's begin
  int32_t slots;
};

template <class S>
struct KvBlock {
  KvLayout layout;
  int64_t key_step;    // bytes from a dimension of a key (Q8_0: four) to the next
  int64_t slot_bytes;  // from a slot of a key to the next
  int64_t groups;      // with a scale each; 0 where there are none
  // Of the block, and of some positions behind it for the sake of fetching them.
  KeyRun* runs;
  int32_t run_count = 0;
  const std::byte** values;  // by position

  KvBlock(Arena& arena, const KvPages& pages)
      : layout(pages),
        key_step(pages.page_tokens * layout.value_bytes),
        slot_bytes(layout.value_bytes),
        groups(KvLayout::ScalesOf(pages)),
        runs(arena.Take<KeyRun>(kAttentionBlock + 2 * kAheadPositions)),
        values(arena.Take<const std::byte*>(kAttentionBlock + kAheadPositions)) {
    if (pages.dtype == DType::kQ8_0) {
      key_step *= kKeyQuad;
      slot_bytes *= kKeyQuad;
    }
  }

  void Open(const KvPages& pages, const int32_t* table, int32_t kv_head) {
    pages_ = &pages;
    table_ = table;
    kv_head_ = kv_head;
  }

  // Positions [begin, end), at least one, lie in the block that begins at `block`; what is attended
  // to ends at `last`.
  void Enter(int32_t block, int32_t begin, int32_t end, int32_t last) {
    int32_t run = 0;
    const int32_t ahead = Lesser(end + kAheadPositions, last);
    for (int32_t position = begin; position < ahead;) {
      const int32_t index = position / pages_->page_tokens;
      const int32_t slot = position - index * pages_->page_tokens;
      int32_t slots = Lesser(pages_->page_tokens - slot, ahead - position);
      if (position < end) slots = Lesser(slots, end - position);
      const int64_t head = layout.Head(*pages_, table_[index], kv_head_);
      const std::byte* keys = pages_->keys + head;
      const std::byte* value = pages_->values + head;
      for (int32_t i = 0; i < slots; i += S::kLanes) {
        const int64_t scale = layout.Scale(0, slot + i);
        runs[run++] = {keys + (slot + i) * slot_bytes, keys + scale, value + scale,
                       position + i - block, Lesser(S::kLanes, slots - i)};
        for (int64_t g = 0; g < groups; ++g) __builtin_prefetch(value + layout.Scale(g, slot + i));
      }
      for (int32_t i = 0; i < slots; ++i) {
        values[position + i - block] = value + layout.Value(0, slot + i);
      }
      position += slots;
      if (position == end) run_count = run;
    }
    // Behind the last, itself: fetched already.
    for (int32_t i = 0; i < kAheadPositions; ++i) runs[run + i] = runs[run - 1];
    for (int32_t i = ahead - block; i < end - block + kAheadPositions; ++i) {
      values[i] = values[ahead - block - 1];
    }
  }

 private:
  const KvPages* pages_ = nullptr;
  const int32_t* table_ = nullptr;
  int32_t kv_head_ = 0;
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_BLOCK_SIMD_H_
