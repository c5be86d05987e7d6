#include "tensor/quant/blocks.h"

namespace jikji {

void Q4_0Block::Unpack(float* out) const {
  const float scale = F16ToF32(d);
  for (int i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>((qs[i] & 15) - 8);
    out[i + 16] = scale * static_cast<float>((qs[i] >> 4) - 8);
  }
}

void Q8_0Block::Unpack(float* out) const {
  const float scale = F16ToF32(d);
  for (int i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(qs[i]);
}

void Q4_KBlock::Unpack(float* out) const {
  const KScales k = UnpackKScales(scales);
  const float scale = F16ToF32(d);
  const float minimum = F16ToF32(dmin);
  for (int group = 0; group < 8; ++group) {
    const float s = scale * static_cast<float>(k.scale[group]);
    const float m = minimum * static_cast<float>(k.minimum[group]);
    const uint8_t* low = qs + 32 * (group / 2);
    const int shift = 4 * (group % 2);
    for (int i = 0; i < 32; ++i) {
      out[32 * group + i] = s * static_cast<float>((low[i] >> shift) & 15) - m;
    }
  }
}

void Q5_KBlock::Unpack(float* out) const {
  const KScales k = UnpackKScales(scales);
  const float scale = F16ToF32(d);
  const float minimum = F16ToF32(dmin);
  for (int group = 0; group < 8; ++group) {
    const float s = scale * static_cast<float>(k.scale[group]);
    const float m = minimum * static_cast<float>(k.minimum[group]);
    const uint8_t* low = qs + 32 * (group / 2);
    const int shift = 4 * (group % 2);
    for (int i = 0; i < 32; ++i) {
      const int q = ((low[i] >> shift) & 15) | (((qh[i] >> group) & 1) << 4);
      out[32 * group + i] = s * static_cast<float>(q) - m;
    }
  }
}

void Q6_KBlock::Unpack(float* out) const {
  const float scale = F16ToF32(d);
  for (int half = 0; half < 2; ++half) {
    for (int k = 0; k < 4; ++k) {
      const uint8_t* low = ql + 64 * half + 32 * (k % 2);
      const uint8_t* high = qh + 32 * half;
      const int first = 128 * half + 32 * k;
      for (int i = 0; i < 32; ++i) {
        const int q = ((low[i] >> (4 * (k / 2))) & 15) | (((high[i] >> (2 * k)) & 3) << 4);
        const float s = scale * static_cast<float>(scales[(first + i) / 16]);
        out[first + i] = s * static_cast<float>(q - 32);
      }
    }
  }
}

}  // namespace jikji
