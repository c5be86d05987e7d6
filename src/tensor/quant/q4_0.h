// Q4_0: 32 values of 4 bits and one scale; x = d · (q − 8). 4.5 bits a value.
#ifndef JIKJI_TENSOR_QUANT_Q4_0_H_
#define JIKJI_TENSOR_QUANT_Q4_0_H_

#include <cstdint>

namespace jikji {

struct Q4_0Block {
  static constexpr uint32_t kValues = 32;

  uint16_t d;      // f16
  uint8_t qs[16];  // value i in the low half of qs[i], value i + 16 in the high half

  void Unpack(float* out) const;          // out: [kValues]
  static Q4_0Block Pack(const float* x);  // x: [kValues], finite
};
static_assert(sizeof(Q4_0Block) == 18 && alignof(Q4_0Block) == 2);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_Q4_0_H_
