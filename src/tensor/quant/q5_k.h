// Q5_K: Q4_K with a fifth bit; 256 values in 8 groups of 32, x = d · scale · q − dmin · minimum.
// 5.5 bits a value.
#ifndef JIKJI_TENSOR_QUANT_Q5_K_H_
#define JIKJI_TENSOR_QUANT_Q5_K_H_

#include <cstdint>

#include "tensor/quant/k_scales.h"

namespace jikji {

struct Q5_KBlock {
  static constexpr uint32_t kValues = 256;

  uint16_t d;          // f16
  uint16_t dmin;       // f16
  uint8_t scales[12];  // as k_scales.h lays them out
  uint8_t qh[32];      // bit g of qh[i] is the fifth bit of value i of group g
  uint8_t qs[128];     // the low four bits, as in Q4_K

  void Unpack(float* out) const;          // out: [kValues]
  static Q5_KBlock Pack(const float* x);  // x: [kValues], finite
};
static_assert(sizeof(Q5_KBlock) == 176 && alignof(Q5_KBlock) == 2);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_Q5_K_H_
