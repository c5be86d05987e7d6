// Q8_0: 32 values of 8 bits and one scale; x = d · q. 8.5 bits a value.
#ifndef JIKJI_TENSOR_QUANT_Q8_0_H_
#define JIKJI_TENSOR_QUANT_Q8_0_H_

#include <cstdint>

namespace jikji {

struct Q8_0Block {
  static constexpr uint32_t kValues = 32;

  uint16_t d;  // f16
  int8_t qs[32];

  void Unpack(float* out) const;          // out: [kValues]
  static Q8_0Block Pack(const float* x);  // x: [kValues], finite
};
static_assert(sizeof(Q8_0Block) == 34 && alignof(Q8_0Block) == 2);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_Q8_0_H_
