// Writes one head of one token into its slot of a page (attention_layout.h).
//
// Contract: what a slot holds depends on the token's own key and value alone, the same bits on
// every instruction set, however a page was filled.
#ifndef JIKJI_KERNELS_ATTENTION_STORE_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_STORE_SIMD_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention_layout.h"
#include "tensor/quant/f8.h"
#include "tensor/quant/half.h"

namespace jikji::kernels {

template <class S>
struct AttentionStore {
  // `head`: the head's bytes in the page.
  static void F32(const KvLayout& layout, const float* key, const float* value, int64_t slot,
                  std::byte* key_head, std::byte* value_head) {
    for (int64_t d = 0; d < layout.head_dim; ++d) {
      std::memcpy(key_head + layout.Key(d, slot), key + d, sizeof(float));
    }
    std::memcpy(value_head + layout.Value(0, slot), value,
                static_cast<size_t>(layout.head_dim) * sizeof(float));
  }

  // To the nearest, ties to even.
  static void F16(const KvLayout& layout, const float* key, const float* value, int64_t slot,
                  std::byte* key_head, std::byte* value_head) {
    for (int64_t d = 0; d < layout.head_dim; d += S::kLanes) {
      const int64_t lanes =
          layout.head_dim - d < S::kLanes ? layout.head_dim - d : int64_t{S::kLanes};
      uint16_t half[S::kLanes];
      S::StoreF16(half, S::LoadPart(key + d, lanes));
      for (int64_t i = 0; i < lanes; ++i) {
        std::memcpy(key_head + layout.Key(d + i, slot), half + i, sizeof *half);
      }
      S::StoreF16(half, S::LoadPart(value + d, lanes));
      std::memcpy(value_head + layout.Value(d, slot), half,
                  static_cast<size_t>(lanes) * sizeof *half);
    }
  }

  // The largest magnitude; NaN where one is. Bits of magnitudes rise with them, NaN's beyond all;
  // whole numbers because compilers put the largest of floats into vectors only where they may
  // forget about NaN.
  static float Largest(const float* x, int64_t count) {
    uint32_t most_bits = 0;
    for (int64_t i = 0; i < count; ++i) {
      uint32_t bits;
      std::memcpy(&bits, x + i, sizeof bits);
      bits &= 0x7FFFFFFFu;
      most_bits = most_bits < bits ? bits : most_bits;
    }
    float most;
    std::memcpy(&most, &most_bits, sizeof most);
    return most;
  }

  // x ≈ scale · q for 32 values, |q| ≤ 127, scale = max|x| / 127 in F16: the quotients are of the
  // scale as it is kept, so that its own rounding costs nothing more. Values that are not finite,
  // or beyond what a scale can say, make the scale NaN; so small that it rounds to zero: all zero.
  static void Quantise(const float* x, int8_t* q, uint16_t* scale) {
    const float most = Largest(x, kKvGroup);
    if (!(most <= 127.0f * 65504.0f)) {
      *scale = 0x7E00;
      std::memset(q, 0, kKvGroup);
      return;
    }
    uint16_t half[S::kLanes];
    S::StoreF16(half, S::Set1(most / 127.0f));
    float rounded[S::kLanes];
    S::Store(rounded, S::LoadF16(half));
    *scale = half[0];
    const float inverse = rounded[0] > 0.0f ? 1.0f / rounded[0] : 0.0f;
    for (int i = 0; i < kKvGroup; ++i) {
      float quotient = x[i] * inverse;
      quotient = quotient > 127.0f ? 127.0f : quotient;
      quotient = quotient < -127.0f ? -127.0f : quotient;
      const float shifted = quotient + 12582912.0f;  // 1.5 · 2^23: rounds to a whole number
      int32_t bits;
      std::memcpy(&bits, &shifted, sizeof bits);
      q[i] = static_cast<int8_t>(bits);
    }
  }

  static void Q8_0(const KvLayout& layout, const float* key, const float* value, int64_t slot,
                   std::byte* key_head, std::byte* value_head) {
    for (int64_t g = 0; g < layout.head_dim / kKvGroup; ++g) {
      int8_t q[kKvGroup];
      uint16_t scale;
      Quantise(key + g * kKvGroup, q, &scale);
      std::memcpy(key_head + layout.Scale(g, slot), &scale, sizeof scale);
      uint8_t biased[kKvGroup];
      for (int i = 0; i < kKvGroup; ++i) biased[i] = static_cast<uint8_t>(q[i] + kKeyBias);
      for (int i = 0; i < kKvGroup; i += kKeyQuad) {
        std::memcpy(key_head + layout.KeyOfQuad(g * kKvGroup + i, slot), biased + i, kKeyQuad);
      }
      Quantise(value + g * kKvGroup, q, &scale);
      std::memcpy(value_head + layout.Scale(g, slot), &scale, sizeof scale);
      std::memcpy(value_head + layout.Value(g * kKvGroup, slot), q, kKvGroup);
    }
  }

  // One scale for the head, a power of two (tensor/quant/f8.h). What has none is NaN by its scale.
  static void F8Row(const float* x, int64_t dim, std::byte* codes, int64_t step, std::byte* scale) {
    const float by = F8Scale(Largest(x, dim));
    const bool has = by == by;
    const uint16_t half = has ? F32ToF16(by) : 0x7E00;
    std::memcpy(scale, &half, sizeof half);
    const float inverse = has ? 1.0f / by : 0.0f;
    for (int64_t d = 0; d < dim; ++d) {
      codes[d * step] = std::byte{has ? F32ToF8(x[d] * inverse) : uint8_t{0}};
    }
  }
  static void F8(const KvLayout& layout, const float* key, const float* value, int64_t slot,
                 std::byte* key_head, std::byte* value_head) {
    F8Row(key, layout.head_dim, key_head + layout.Key(0, slot), layout.page_tokens,
          key_head + layout.Scale(0, slot));
    F8Row(value, layout.head_dim, value_head + layout.Value(0, slot), 1,
          value_head + layout.Scale(0, slot));
  }

  static void Run(const KvPages& pages, const float* key, const float* value, int64_t page,
                  int64_t kv_head, int64_t slot) {
    const KvLayout layout(pages);
    const int64_t head = layout.Head(pages, page, kv_head);
    const auto store = pages.dtype == DType::kF32       ? F32
                       : pages.dtype == DType::kF16     ? F16
                       : pages.dtype == DType::kF8_E4M3 ? F8
                                                        : Q8_0;
    store(layout, key, value, slot, pages.keys + head, pages.values + head);
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_STORE_SIMD_H_
