// E4M3 as KV caches have it (OCP 8-bit floating point): a row of values shares a power of two, so
// that the largest of them lies in the upper half of what E4M3 can say, whatever its size: nothing
// saturates, and what a value loses is a sixteenth of itself at most, down to 2^-14 of the largest.
//
// Plain arithmetic, for the host and for devices: the same bits everywhere.
#ifndef JIKJI_TENSOR_QUANT_F8_H_
#define JIKJI_TENSOR_QUANT_F8_H_

#include <cstdint>

namespace jikji {

// What the values of a row are divided by, given the largest of their magnitudes: a power of two
// that F16 has, from 2^-24 to 2^7. NaN where a value is no number or beyond 57344.
constexpr float F8Scale(float most) {
  if (!(most <= 57344.0f)) return __builtin_nanf("");
  // 448 is 1.75 · 2^8, E4M3's last number: the exponent less 8, and one more above 1.75.
  const uint32_t bits = __builtin_bit_cast(uint32_t, most);
  const int32_t exponent = static_cast<int32_t>((bits + 0x1FFFFFu) >> 23) - 8;
  constexpr int32_t kLeast = 127 - 24;
  return __builtin_bit_cast(float, static_cast<uint32_t>(exponent < kLeast ? kLeast : exponent)
                                       << 23);
}

// To the nearest, ties to even; |x| ≤ 448.
constexpr uint8_t F32ToF8(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t sign = bits >> 24 & 0x80u;
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  // Below 2^-6 codes are whole numbers of 2^-9, which adding 1.5 · 2^14 leaves in the low bits.
  const float shifted = __builtin_bit_cast(float, magnitude) + 24576.0f;
  const uint32_t small = __builtin_bit_cast(uint32_t, shifted) & 0xFu;
  const uint32_t rounded = (magnitude + 0x7FFFFu + (magnitude >> 20 & 1u)) >> 20;
  return static_cast<uint8_t>(sign | (magnitude < 0x3C800000u ? small : rounded - (120u << 3)));
}

constexpr float F8ToF32(uint8_t code) {
  const uint32_t bits = (code & 0x7Fu) << 20 | (code & 0x80u) << 24;
  return __builtin_bit_cast(float, bits) * 0x1p120f;
}

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_F8_H_
