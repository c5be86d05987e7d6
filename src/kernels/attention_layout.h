// Where a page of the KV cache keeps its keys and values.
//
// Keys lie so that one vector holds the same dimension (for Q8_0 four of them) of consecutive
// slots: a score is then a sum down the vectors, lane by lane, and no vector is ever added up
// across. Values lie slot by slot, since the sum over positions runs down them already.
//
//            keys of a page and head                    values of a page and head
//   F32 F16  [head_dim][slot]                           [slot][head_dim]
//   Q8_0     uint8 q + 128, [head_dim / 4][slot][4];    int8 q, [slot][head_dim];
//            f16 scale, [head_dim / 32][slot]           f16 scale, [head_dim / 32][slot]
//   F8_E4M3  [head_dim][slot]; f16 scale, [slot]        [slot][head_dim]; f16 scale, [slot]
//
// Q8_0 is GGML's: x ≈ scale · q in groups of 32, here with scales apart. The bias of keys lets
// instructions multiply them as unsigned bytes; kernels take it back out exactly.
#ifndef JIKJI_KERNELS_ATTENTION_LAYOUT_H_
#define JIKJI_KERNELS_ATTENTION_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"

namespace jikji::kernels {

inline constexpr int32_t kKvGroup = 32;  // values that share a scale
inline constexpr int32_t kKeyQuad = 4;   // dimensions of a key that lie side by side in Q8_0
inline constexpr uint8_t kKeyBias = 128;
// The whole numbers that Q8_0 keys are multiplied by: two signed bytes, 128 · high + low.
inline constexpr int32_t kQueryMost = 127 * 128;

struct KvLayout {
  int64_t page_tokens;
  int64_t head_dim;
  int64_t value_bytes;  // without scales
  int64_t head_bytes;   // of one head in a page

  explicit KvLayout(const KvPages& pages)
      : page_tokens(pages.page_tokens),
        head_dim(pages.head_dim),
        value_bytes(pages.dtype == DType::kF32   ? 4
                    : pages.dtype == DType::kF16 ? 2
                                                 : 1),
        head_bytes(page_tokens * head_dim * value_bytes + page_tokens * ScalesOf(pages) * 2) {}

  // Of a slot.
  static int64_t ScalesOf(const KvPages& pages) {
    if (pages.dtype == DType::kQ8_0) return pages.head_dim / kKvGroup;
    return pages.dtype == DType::kF8_E4M3 ? 1 : 0;
  }

  // Offsets within a plane: of a head in a page; then, within the head, of values and scales.
  int64_t Head(const KvPages& pages, int64_t page, int64_t kv_head) const {
    return (page * pages.kv_heads + kv_head) * head_bytes;
  }
  int64_t Key(int64_t d, int64_t slot) const { return (d * page_tokens + slot) * value_bytes; }
  int64_t KeyOfQuad(int64_t d, int64_t slot) const {
    return (d / kKeyQuad * page_tokens + slot) * kKeyQuad + d % kKeyQuad;
  }
  int64_t Value(int64_t d, int64_t slot) const { return (slot * head_dim + d) * value_bytes; }
  int64_t Scale(int64_t group, int64_t slot) const {
    return page_tokens * head_dim + (group * page_tokens + slot) * 2;
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_LAYOUT_H_
