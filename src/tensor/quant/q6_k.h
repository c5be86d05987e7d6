// Q6_K: 256 values of 6 bits in 16 groups of 16, each with an 8-bit scale; x = d · scale · (q −
// 32). 6.5625 bits a value.
#ifndef JIKJI_TENSOR_QUANT_Q6_K_H_
#define JIKJI_TENSOR_QUANT_Q6_K_H_

#include <cstdint>

namespace jikji {

struct Q6_KBlock {
  static constexpr uint32_t kValues = 256;

  // Each half of the block, 128 values, takes 64 bytes of ql and 32 of qh. Value 32 · k + i of a
  // half, k < 4: its low four bits are in ql[32 · (k % 2) + i], low where k < 2, else high; its
  // upper two are bits 2k and 2k + 1 of qh[i].
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];  // one for each 16 values in order
  uint16_t d;         // f16

  void Unpack(float* out) const;          // out: [kValues]
  static Q6_KBlock Pack(const float* x);  // x: [kValues], finite
};
static_assert(sizeof(Q6_KBlock) == 210 && alignof(Q6_KBlock) == 2);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_Q6_K_H_
