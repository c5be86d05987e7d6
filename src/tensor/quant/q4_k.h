// Q4_K: 256 values of 4 bits in 8 groups of 32, each with a 6-bit scale and a 6-bit minimum;
// x = d · scale · q − dmin · minimum. 4.5 bits a value.
#ifndef JIKJI_TENSOR_QUANT_Q4_K_H_
#define JIKJI_TENSOR_QUANT_Q4_K_H_

#include <cstdint>

#include "tensor/quant/k_scales.h"

namespace jikji {

struct Q4_KBlock {
  static constexpr uint32_t kValues = 256;

  uint16_t d;          // f16
  uint16_t dmin;       // f16
  uint8_t scales[12];  // as k_scales.h lays them out
  uint8_t qs[128];     // for each pair of groups 32 bytes: the even group low, the odd group high

  void Unpack(float* out) const;          // out: [kValues]
  static Q4_KBlock Pack(const float* x);  // x: [kValues], finite
};
static_assert(sizeof(Q4_KBlock) == 144 && alignof(Q4_KBlock) == 2);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_Q4_K_H_
