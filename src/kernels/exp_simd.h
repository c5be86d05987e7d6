// e^x lane by lane, the same bits for the same x in every lane and tail.
//
// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by Taylor's polynomial of degree 7, whose remainder there
// is below 6e-9. Below -87 the result is 0 and above 88 infinity, which is where f32's normal range
// of results ends but for a hair; no subnormals arise.
#ifndef JIKJI_KERNELS_EXP_SIMD_H_
#define JIKJI_KERNELS_EXP_SIMD_H_

#include <limits>

namespace jikji::kernels {

template <class S>
inline typename S::F Exp(typename S::F x) {
  using F = typename S::F;
  const F low = S::Set1(-87.0f);
  const F high = S::Set1(88.0f);
  const F magic = S::Set1(12582912.0f);  // 1.5 · 2^23: adding it rounds to a whole number
  const F clamped = S::Min(high, S::Max(low, x));  // NaN stays, being second
  const F t = S::Fma(clamped, S::Set1(1.44269504f), magic);
  const F n = S::Sub(t, magic);
  // ln 2 in two parts; the first has few enough bits that n times it is exact.
  F r = S::Fnma(n, S::Set1(0.693359375f), clamped);
  r = S::Fnma(n, S::Set1(-2.12194440e-4f), r);
  F p = S::Set1(1.0f / 5040.0f);
  p = S::Fma(p, r, S::Set1(1.0f / 720.0f));
  p = S::Fma(p, r, S::Set1(1.0f / 120.0f));
  p = S::Fma(p, r, S::Set1(1.0f / 24.0f));
  p = S::Fma(p, r, S::Set1(1.0f / 6.0f));
  p = S::Fma(p, r, S::Set1(0.5f));
  p = S::Fma(p, r, S::Set1(1.0f));
  p = S::Fma(p, r, S::Set1(1.0f));
  const F value = S::Mul(p, S::Pow2(t));
  const F above = S::IfLess(high, x, S::Set1(std::numeric_limits<float>::infinity()), value);
  return S::IfLess(x, low, S::Zero(), above);
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_EXP_SIMD_H_
