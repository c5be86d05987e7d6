// Sixteen lanes of f32 and 64 of int8 with AVX-512 and VNNI; simd_portable.h says what is asked of
// a struct like this one. Only *_avx512.cc may include it.
#ifndef JIKJI_KERNELS_SIMD_AVX512_H_
#define JIKJI_KERNELS_SIMD_AVX512_H_

// GCC 12 warns of its own header's deliberately undefined operands (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <cstdint>
#include <cstring>
#include <limits>

namespace jikji::kernels {

struct SimdAvx512 {
  static constexpr int kLanes = 16;
  // Of 32 registers, float tiles use rows · tokens + rows + 1.
  static constexpr int kRowTile = 4;
  static constexpr int kTokenTile = 6;
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

  // Integers: quantised weights and activations, 64 at a time, as 16 sums of 4 products.
  static constexpr int kBytes = 64;
  // vpdpbusd multiplies u8 with s8. For signed weights the activations are the u8: q + 128.
  static constexpr uint8_t kSignedFlip = 0x80;
  using I = __m512i;

  static float ToF32(uint16_t half) { return _cvtsh_ss(half); }
  static I LoadBytes(const void* from) { return _mm512_loadu_si512(from); }
  // What DotSigned needs of the weights, once for all tokens: −128 · Σ weights, which takes the
  // activations' 128 back out.
  static I PrepareSigned(I weights) {
    const I zero = _mm512_setzero_si512();
    return _mm512_sub_epi32(zero, _mm512_dpbusd_epi32(zero, _mm512_set1_epi8(-128), weights));
  }
  static I DotSigned(I weights, I offset, I x) { return _mm512_dpbusd_epi32(offset, x, weights); }
  static I DotUnsigned(I weights, I x) {
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), weights, x);
  }
  static F ToFloat(I v) { return _mm512_cvtepi32_ps(v); }
  // Lane i gets the scale of the group that its products come from: two groups, eight lanes each.
  static F GroupScales(const float* scales) {
    double both;
    std::memcpy(&both, scales, sizeof both);
    return Spread(_mm512_castpd_ps(_mm512_set1_pd(both)));
  }
  // Lane 0 eight times, then lane 1 eight times.
  static F Spread(F v) {
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1),
                                 v);
  }
  // Eight values in the low lanes, zero above.
  static F Load8(const float* from) { return _mm512_zextps256_ps512(_mm256_loadu_ps(from)); }

  static void Quantise32(const float* x, uint8_t flip, int8_t* q, float* d, float* sum) {
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
      *sum = *d;
      std::memset(q, flip, 32);
      return;
    }
    *d = maximum / 127.0f;
    const F inverse = Set1(127.0f / maximum);
    const __m512i a = _mm512_cvtps_epi32(Mul(low, inverse));
    const __m512i b = _mm512_cvtps_epi32(Mul(high, inverse));
    *sum = *d * static_cast<float>(_mm512_reduce_add_epi32(_mm512_add_epi32(a, b)));
    const __m128i mask = _mm_set1_epi8(static_cast<char>(flip));
    auto* to = reinterpret_cast<__m128i*>(q);
    _mm_storeu_si128(to, _mm_xor_si128(_mm512_cvtsepi32_epi8(a), mask));
    _mm_storeu_si128(to + 1, _mm_xor_si128(_mm512_cvtsepi32_epi8(b), mask));
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
