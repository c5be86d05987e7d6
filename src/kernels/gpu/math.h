// What kernels compute with beyond +, −, · and /: the same bits on a chip and on the host. Device
// code.
#ifndef JIKJI_KERNELS_GPU_MATH_H_
#define JIKJI_KERNELS_GPU_MATH_H_

#include "device/kernel.h"

namespace jikji::kernels::gpu {

// e^x within 2 · 2^-24, relative; 0 below −87.3, NaN for NaN. x must be at most 88.
JIKJI_DEVICE float Exp(float x) {
  if (x < -87.3f) return 0.0f;
  // x = n ln 2 + r, |r| ≤ ln 2 / 2: adding 1.5 · 2^23 leaves n in the low bits.
  const float shifted = device::Fma(x, 1.44269504f, 12582912.0f);
  const float n = shifted - 12582912.0f;
  float r = device::Fma(n, -0.693145752f, x);
  r = device::Fma(n, -1.42860677e-6f, r);
  float p = 1.98756912e-4f;
  p = device::Fma(p, r, 1.39819994e-3f);
  p = device::Fma(p, r, 8.33345205e-3f);
  p = device::Fma(p, r, 4.16657962e-2f);
  p = device::Fma(p, r, 1.66666657e-1f);
  p = device::Fma(p, r, 0.5f);
  p = device::Fma(p * r, r, r) + 1.0f;
  const uint32_t exponent = __builtin_bit_cast(uint32_t, shifted) << 23;
  return __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, p) + exponent);
}

// cos and sin of an angle of up to some millions of radians, within 2^-24 or so: whole quarters
// are taken off in f64, the rest is a Taylor series in f64.
JIKJI_DEVICE void CosSin(float angle, float& cosine, float& sine) {
  const double x = static_cast<double>(angle);
  const auto quarters = static_cast<int32_t>(x * 0.63661977236758134 + (x < 0 ? -0.5 : 0.5));
  double r = device::Fma(static_cast<double>(-quarters), 1.5707963267948966, x);
  r = device::Fma(static_cast<double>(-quarters), 6.123233995736766e-17, r);
  const double q = r * r;
  const double s =
      r * (1 + q * (-1.0 / 6 + q * (1.0 / 120 + q * (-1.0 / 5040 + q * (1.0 / 362880)))));
  const double c =
      1 + q * (-0.5 + q * (1.0 / 24 + q * (-1.0 / 720 + q * (1.0 / 40320 + q * (-1.0 / 3628800)))));
  const int32_t turn = quarters & 3;
  const double cos_turned = turn % 2 == 0 ? c : s;
  const double sin_turned = turn % 2 == 0 ? s : c;
  cosine = static_cast<float>(turn == 1 || turn == 2 ? -cos_turned : cos_turned);
  sine = static_cast<float>(turn >= 2 ? -sin_turned : sin_turned);
}

JIKJI_DEVICE float WarpSum(float value) {
  JIKJI_UNROLL
  for (uint32_t mask = 16; mask > 0; mask /= 2) value += device::ShuffleXor(value, mask);
  return value;
}

// The sum over a block of kWarps warps, in the same order for everyone; `slots` is shared memory
// for kWarps floats, and free again for the next call.
template <uint32_t kWarps>
JIKJI_DEVICE float BlockSum(float value, float* slots) {
  value = WarpSum(value);
  if (device::ThreadX() % device::kWarp == 0) slots[device::ThreadX() / device::kWarp] = value;
  device::SyncBlock();
  float total = slots[0];
  JIKJI_UNROLL
  for (uint32_t warp = 1; warp < kWarps; ++warp) total += slots[warp];
  device::SyncBlock();
  return total;
}

JIKJI_DEVICE uint16_t Bf16Bits(float value) {
  return static_cast<uint16_t>(device::PackBf16(value, 0.0f));
}
JIKJI_DEVICE uint16_t F16Bits(float value) {
  return static_cast<uint16_t>(device::PackF16(value, 0.0f));
}

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_MATH_H_
