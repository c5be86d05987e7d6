// e^x lane by lane, the same bits for the same x in every lane and tail.
//
// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by Taylor's polynomial of degree 7, whose remainder there
// is below 6e-9. Below -87 the result is 0 and above 88 infinity, which is where f32's normal range
// of results ends but for a hair; no subnormals arise.
#ifndef JIKJI_KERNELS_EXP_SIMD_H_
#define JIKJI_KERNELS_EXP_SIMD_H_

#include <limits>

namespace jikji::kernels {

// Of kCount vectors in step, in place: one alone waits for each of its dozen additions in turn.
// With kBelow88 none is above 88, which saves looking.
template <class S, int kCount, bool kBelow88 = false>
inline __attribute__((always_inline)) void ExpEach(typename S::F (&x)[kCount]) {
  using F = typename S::F;
  const F low = S::Set1(-87.0f);
  const F high = S::Set1(88.0f);
  const F magic = S::Set1(12582912.0f);  // 1.5 · 2^23: adding it rounds to a whole number
  F t[kCount], r[kCount], p[kCount];
  for (int i = 0; i < kCount; ++i) {
    F clamped = S::Max(low, x[i]);  // NaN stays, being second
    if constexpr (!kBelow88) clamped = S::Min(high, clamped);
    t[i] = S::Fma(clamped, S::Set1(1.44269504f), magic);
    const F n = S::Sub(t[i], magic);
    // ln 2 in two parts; the first has few enough bits that n times it is exact.
    r[i] = S::Fnma(n, S::Set1(0.693359375f), clamped);
    r[i] = S::Fnma(n, S::Set1(-2.12194440e-4f), r[i]);
    p[i] = S::Set1(1.0f / 5040.0f);
  }
  constexpr float kFactors[] = {1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f,
                                0.5f,          1.0f,          1.0f};
  for (const float factor : kFactors) {
    const F lanes = S::Set1(factor);
    for (int i = 0; i < kCount; ++i) p[i] = S::Fma(p[i], r[i], lanes);
  }
  for (int i = 0; i < kCount; ++i) {
    F value = S::Mul(p[i], S::Pow2(t[i]));
    if constexpr (!kBelow88) {
      value = S::IfLess(high, x[i], S::Set1(std::numeric_limits<float>::infinity()), value);
    }
    x[i] = S::IfLess(x[i], low, S::Zero(), value);
  }
}

template <class S>
inline typename S::F Exp(typename S::F x) {
  typename S::F each[1] = {x};
  ExpEach<S, 1>(each);
  return each[0];
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_EXP_SIMD_H_
