// The eight 6-bit scales and eight 6-bit minima that Q4_K and Q5_K keep in 12 bytes.
//
// Bytes 0-3: scales 0-3 in the low 6 bits; 4-7: minima 0-3; 8-11: the low 4 bits of scale and
// minimum 4-7, whose upper 2 bits are the upper 2 bits of bytes 0-7.
#ifndef JIKJI_TENSOR_QUANT_K_SCALES_H_
#define JIKJI_TENSOR_QUANT_K_SCALES_H_

#include <cstdint>

namespace jikji {

struct KScales {
  uint8_t scale[8];    // 0 to 63
  uint8_t minimum[8];  // 0 to 63
};

inline KScales UnpackKScales(const uint8_t (&packed)[12]) {
  KScales out;
  for (int i = 0; i < 4; ++i) {
    out.scale[i] = packed[i] & 63;
    out.minimum[i] = packed[i + 4] & 63;
    out.scale[i + 4] = static_cast<uint8_t>((packed[i + 8] & 15) | ((packed[i] >> 6) << 4));
    out.minimum[i + 4] = static_cast<uint8_t>((packed[i + 8] >> 4) | ((packed[i + 4] >> 6) << 4));
  }
  return out;
}

inline void PackKScales(const KScales& in, uint8_t (&packed)[12]) {
  for (int i = 0; i < 4; ++i) {
    packed[i] = static_cast<uint8_t>(in.scale[i] | ((in.scale[i + 4] >> 4) << 6));
    packed[i + 4] = static_cast<uint8_t>(in.minimum[i] | ((in.minimum[i + 4] >> 4) << 6));
    packed[i + 8] = static_cast<uint8_t>((in.scale[i + 4] & 15) | ((in.minimum[i + 4] & 15) << 4));
  }
}

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_K_SCALES_H_
