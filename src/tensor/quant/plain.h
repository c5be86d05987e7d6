// The types that are not quantised, in the form of the quantised ones: a block of one value.
#ifndef JIKJI_TENSOR_QUANT_PLAIN_H_
#define JIKJI_TENSOR_QUANT_PLAIN_H_

#include <cstdint>

#include "tensor/quant/half.h"

namespace jikji {

struct F32Block {
  static constexpr uint32_t kValues = 1;

  float value;

  void Unpack(float* out) const { *out = value; }
  static F32Block Pack(const float* x) { return {*x}; }
};
static_assert(sizeof(F32Block) == 4);

struct F16Block {
  static constexpr uint32_t kValues = 1;

  uint16_t bits;

  void Unpack(float* out) const { *out = F16ToF32(bits); }
  static F16Block Pack(const float* x) { return {F32ToF16(*x)}; }
};
static_assert(sizeof(F16Block) == 2);

struct BF16Block {
  static constexpr uint32_t kValues = 1;

  uint16_t bits;

  void Unpack(float* out) const { *out = BF16ToF32(bits); }
  static BF16Block Pack(const float* x) { return {F32ToBF16(*x)}; }
};
static_assert(sizeof(BF16Block) == 2);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_PLAIN_H_
