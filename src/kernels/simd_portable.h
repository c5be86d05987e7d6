// Eight lanes of f32 in plain C++: the baseline of machines without AVX2, and of other
// architectures.
//
// A `simd_*.h` is one struct of static functions; kernels are templates over it (`*_simd.h`), so
// that each instruction set has its own symbols and the linker cannot swap one's code for
// another's. Contract of each: lanes are independent; Max, Min and the reductions do the same
// operations in the same order whatever is compiled around them. Non-goals: doubles, other widths.
#ifndef JIKJI_KERNELS_SIMD_PORTABLE_H_
#define JIKJI_KERNELS_SIMD_PORTABLE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tensor/quant/half.h"

namespace jikji::kernels {

struct SimdPortable {
  static constexpr int kLanes = 8;
  static constexpr int kFloatTokens = 4;  // of MatMul's tiles
  static constexpr int kValueTile = 8;    // accumulators of attention's weighted values

  // GCC's vector type, two of 16 bytes: what SSE2 and NEON have as registers.
  using Quad = float __attribute__((vector_size(16)));
  using QuadBits = int32_t __attribute__((vector_size(16)));
  struct F {
    Quad a, b;
  };

  static F Zero() { return {Quad{}, Quad{}}; }
  static F Set1(float v) { return {Quad{v, v, v, v}, Quad{v, v, v, v}}; }
  static F Load(const void* from) {
    F out;
    std::memcpy(&out, from, sizeof out);
    return out;
  }
  static void Store(float* to, F v) { std::memcpy(to, &v, sizeof v); }
  static F LoadPart(const void* from, int64_t lanes) {
    float buffer[kLanes] = {};
    std::memcpy(buffer, from, static_cast<size_t>(lanes) * 4);
    return Load(buffer);
  }
  static void StorePart(float* to, int64_t lanes, F v) {
    std::memcpy(to, &v, static_cast<size_t>(lanes) * 4);
  }
  static F LoadF16(const void* from) {
    uint16_t bits[kLanes];
    std::memcpy(bits, from, sizeof bits);
    float out[kLanes];
    for (int i = 0; i < kLanes; ++i) out[i] = F16ToF32(bits[i]);
    return Load(out);
  }
  static F LoadBF16(const void* from) {
    uint16_t bits[kLanes];
    std::memcpy(bits, from, sizeof bits);
    float out[kLanes];
    for (int i = 0; i < kLanes; ++i) out[i] = BF16ToF32(bits[i]);
    return Load(out);
  }
  static void LoadPairsBF16(const void* from, F& even, F& odd) {
    uint16_t bits[2 * kLanes];
    std::memcpy(bits, from, sizeof bits);
    float out[2][kLanes];
    for (int i = 0; i < 2 * kLanes; ++i) out[i % 2][i / 2] = BF16ToF32(bits[i]);
    even = Load(out[0]);
    odd = Load(out[1]);
  }
  static void StoreF16(void* to, F v) {
    float values[kLanes];
    Store(values, v);
    uint16_t bits[kLanes];
    for (int i = 0; i < kLanes; ++i) bits[i] = F32ToF16(values[i]);
    std::memcpy(to, bits, sizeof bits);
  }

  static F Add(F x, F y) { return {x.a + y.a, x.b + y.b}; }
  static F Sub(F x, F y) { return {x.a - y.a, x.b - y.b}; }
  static F Mul(F x, F y) { return {x.a * y.a, x.b * y.b}; }
  static F Div(F x, F y) { return {x.a / y.a, x.b / y.b}; }
  // x · y + z, here in two roundings.
  static F Fma(F x, F y, F z) { return Add(Mul(x, y), z); }
  static F Fnma(F x, F y, F z) { return Sub(z, Mul(x, y)); }
  // x < y ? u : v
  static F IfLess(F x, F y, F u, F v) {
    return {Blend(x.a < y.a, u.a, v.a), Blend(x.b < y.b, u.b, v.b)};
  }
  // Like the instructions of x86: the second where either is NaN.
  static F Max(F x, F y) { return IfLess(y, x, x, y); }
  static F Min(F x, F y) { return IfLess(x, y, x, y); }
  // 2^n for t = n + 1.5 · 2^23, whose low bits are n.
  static F Pow2(F t) { return {Pow2Quad(t.a), Pow2Quad(t.b)}; }

  static float Reduce(F v) {
    const Quad q = v.a + v.b;
    return (q[0] + q[2]) + (q[1] + q[3]);
  }
  static void Reduce4(const F* v, float* out) {
    for (int i = 0; i < 4; ++i) out[i] = Reduce(v[i]);
  }

  // Quantises 32 values to int8: x ≈ d · q, d = max|x| / 127, with the sums of the first and the
  // last 16 q. A value that is not finite makes d NaN and q zero. Below 2^-119, where 127 / max|x|
  // would overflow, all is zero. Every instruction set gives the same bits.
  static void Quantise32(const float* x, int8_t* q, float* d, int32_t* lower, int32_t* upper) {
    uint32_t largest = 0;
    for (int i = 0; i < 32; ++i) {
      const uint32_t bits = std::bit_cast<uint32_t>(x[i]) & 0x7FFFFFFFu;
      largest = bits > largest ? bits : largest;
    }
    const bool finite = largest < 0x7F800000u;
    const float maximum = std::bit_cast<float>(largest);
    const bool usable = finite && maximum >= 0x1p-119f;
    const float inverse = usable ? 127.0f / maximum : 0.0f;
    *d = usable ? maximum / 127.0f : finite ? 0.0f : std::numeric_limits<float>::quiet_NaN();
    *lower = *upper = 0;
    for (int i = 0; i < 32; ++i) {
      const float rounded = usable ? x[i] * inverse + 12582912.0f : 12582912.0f;
      const auto value = static_cast<int8_t>(std::bit_cast<uint32_t>(rounded) & 0xFF);
      (i < 16 ? *lower : *upper) += value;
      q[i] = value;
    }
  }

 private:
  static Quad Blend(QuadBits mask, Quad u, Quad v) {
    return std::bit_cast<Quad>((mask & std::bit_cast<QuadBits>(u)) |
                               (~mask & std::bit_cast<QuadBits>(v)));
  }
  static Quad Pow2Quad(Quad t) {
    using Unsigned = uint32_t __attribute__((vector_size(16)));
    return std::bit_cast<Quad>((std::bit_cast<Unsigned>(t) << 23) + 0x3F800000u);
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_SIMD_PORTABLE_H_
