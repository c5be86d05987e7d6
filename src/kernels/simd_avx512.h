// Sixteen lanes of f32 and 64 of int8 with AVX-512 and VNNI; simd_portable.h says what is asked of
// a struct like this one. Only *_avx512.cc may include it.
#ifndef JIKJI_KERNELS_SIMD_AVX512_H_
#define JIKJI_KERNELS_SIMD_AVX512_H_

#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/avx512_intrinsics.h"

namespace jikji::kernels {

struct SimdAvx512 {
  static constexpr int kLanes = 16;
  // MatMul's tiles: two accumulators a token, of 32 registers.
  static constexpr int kQuantTokens = 12;
  static constexpr int kFloatTokens = 12;
  static constexpr int kValueTile = 16;  // 4 queries · 4 vectors

  using F = __m512;

  static F Zero() { return _mm512_setzero_ps(); }
  static F Set1(float v) { return _mm512_set1_ps(v); }
  static F Load(const void* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, F v) { _mm512_storeu_ps(to, v); }
  static F LoadPart(const void* from, int64_t lanes) {
    return _mm512_maskz_loadu_ps(Mask(lanes), from);
  }
  static void StorePart(float* to, int64_t lanes, F v) {
    _mm512_mask_storeu_ps(to, Mask(lanes), v);
  }
  static F LoadF16(const void* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(from)));
  }
  static F LoadBF16(const void* from) {
    const __m256i bits = _mm256_loadu_si256(static_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  static void StoreF16(void* to, F v) {
    _mm256_storeu_si256(static_cast<__m256i*>(to),
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }

  static F Add(F x, F y) { return _mm512_add_ps(x, y); }
  static F Sub(F x, F y) { return _mm512_sub_ps(x, y); }
  static F Mul(F x, F y) { return _mm512_mul_ps(x, y); }
  static F Div(F x, F y) { return _mm512_div_ps(x, y); }
  static F Fma(F x, F y, F z) { return _mm512_fmadd_ps(x, y, z); }
  static F Fnma(F x, F y, F z) { return _mm512_fnmadd_ps(x, y, z); }
  static F IfLess(F x, F y, F u, F v) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_LT_OQ), v, u);
  }
  static F Max(F x, F y) { return _mm512_max_ps(x, y); }
  static F Min(F x, F y) { return _mm512_min_ps(x, y); }
  static F Pow2(F t) {
    const __m512i bits = _mm512_slli_epi32(_mm512_castps_si512(t), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(bits, _mm512_set1_epi32(0x3F800000)));
  }

  // Lanes i and i + 8, then 4 apart, then 2, then the last two.
  static float Reduce(F v) {
    __m128 sum = Quarters(v);
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
  }
  // The same additions, four sums at a time.
  static void Reduce4(const F* v, float* out) {
    const __m128 a = Quarters(v[0]), b = Quarters(v[1]), c = Quarters(v[2]), d = Quarters(v[3]);
    const __m128 ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
    const __m128 cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
    _mm_storeu_ps(out, _mm_add_ps(_mm_shuffle_ps(ab, cd, _MM_SHUFFLE(2, 0, 2, 0)),
                                  _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 1, 3, 1))));
  }

  // Integers: 64 of int8, or 16 of 32 bits.
  using I = __m512i;
  static constexpr bool kDotsInto32 = true;

  static I ZeroBytes() { return _mm512_setzero_si512(); }
  static I SetByte(int v) { return _mm512_set1_epi8(static_cast<char>(v)); }
  static I SetWord(int32_t v) { return _mm512_set1_epi32(v); }
  static I LoadBytes(const void* from) { return _mm512_loadu_si512(from); }
  static I Low4(I v) { return And(v, SetByte(15)); }
  static I High4(I v) { return Low4(_mm512_srli_epi16(v, 4)); }
  static I And(I x, I y) { return _mm512_and_si512(x, y); }
  static I Or(I x, I y) { return _mm512_or_si512(x, y); }
  template <int kBits>
  static I ShiftLeft16(I v) {
    if constexpr (kBits < 0) return _mm512_srli_epi16(v, -kBits);
    return _mm512_slli_epi16(v, kBits < 0 ? 0 : kBits);
  }
  template <int kBits>
  static I ShiftLeft32(I v) {
    return _mm512_slli_epi32(v, kBits);
  }
  static I Dot(I sum, I weights, I x) { return _mm512_dpbusd_epi32(sum, weights, x); }
  static F ToFloat(I v) { return _mm512_cvtepi32_ps(v); }
  static F LoadU8(const uint8_t* from) {
    return ToFloat(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  }
  static F LoadI8(const int8_t* from) {
    return ToFloat(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  }
  static void LoadPairsBF16(const void* from, F& even, F& odd) {
    const __m512i pairs = _mm512_loadu_si512(from);
    even = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    odd = _mm512_castsi512_ps(And(pairs, SetWord(static_cast<int32_t>(0xFFFF0000u))));
  }

  static void Quantise32(const float* x, int8_t* q, float* d, int32_t* lower, int32_t* upper) {
    const F low = Load(x);
    const F high = Load(x + 16);
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    const __m512i largest =
        _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(low), magnitude),
                         _mm512_and_si512(_mm512_castps_si512(high), magnitude));
    const auto bits = static_cast<uint32_t>(_mm512_reduce_max_epi32(largest));
    const bool finite = bits < 0x7F800000u;
    float maximum;
    std::memcpy(&maximum, &bits, sizeof maximum);
    if (!finite || maximum < 0x1p-119f) {
      *d = finite ? 0.0f : std::numeric_limits<float>::quiet_NaN();
      *lower = *upper = 0;
      std::memset(q, 0, 32);
      return;
    }
    *d = maximum / 127.0f;
    const F inverse = Set1(127.0f / maximum);
    const __m512i a = _mm512_cvtps_epi32(Mul(low, inverse));
    const __m512i b = _mm512_cvtps_epi32(Mul(high, inverse));
    *lower = _mm512_reduce_add_epi32(a);
    *upper = _mm512_reduce_add_epi32(b);
    auto* to = reinterpret_cast<__m128i*>(q);
    _mm_storeu_si128(to, _mm512_cvtsepi32_epi8(a));
    _mm_storeu_si128(to + 1, _mm512_cvtsepi32_epi8(b));
  }

 private:
  static __mmask16 Mask(int64_t lanes) { return static_cast<__mmask16>((1u << lanes) - 1); }
  static __m128 Quarters(F v) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_SIMD_AVX512_H_
