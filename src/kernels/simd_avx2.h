// Eight lanes of f32 and 32 of int8 with AVX2, FMA and F16C; simd_portable.h says what is asked of
// a struct like this one. Only *_avx2.cc may include it.
#ifndef JIKJI_KERNELS_SIMD_AVX2_H_
#define JIKJI_KERNELS_SIMD_AVX2_H_

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <limits>

namespace jikji::kernels {

struct SimdAvx2 {
  static constexpr int kLanes = 8;
  // MatMul's tiles: three accumulators a token or two, of 16 registers.
  static constexpr int kQuantTokens = 4;
  static constexpr int kFloatTokens = 6;
  static constexpr int kValueTile = 8;  // 4 queries · 2 vectors

  using F = __m256;

  static F Zero() { return _mm256_setzero_ps(); }
  static F Set1(float v) { return _mm256_set1_ps(v); }
  static F Load(const void* from) { return _mm256_loadu_ps(static_cast<const float*>(from)); }
  static void Store(float* to, F v) { _mm256_storeu_ps(to, v); }
  static F LoadPart(const void* from, int64_t lanes) {
    float buffer[kLanes] = {};
    std::memcpy(buffer, from, static_cast<size_t>(lanes) * 4);
    return Load(buffer);
  }
  static void StorePart(float* to, int64_t lanes, F v) {
    float buffer[kLanes];
    Store(buffer, v);
    std::memcpy(to, buffer, static_cast<size_t>(lanes) * 4);
  }
  static F LoadF16(const void* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(from)));
  }
  static F LoadBF16(const void* from) {
    const __m128i bits = _mm_loadu_si128(static_cast<const __m128i*>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  static void StoreF16(void* to, F v) {
    _mm_storeu_si128(static_cast<__m128i*>(to),
                     _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }

  static F Add(F x, F y) { return _mm256_add_ps(x, y); }
  static F Sub(F x, F y) { return _mm256_sub_ps(x, y); }
  static F Mul(F x, F y) { return _mm256_mul_ps(x, y); }
  static F Div(F x, F y) { return _mm256_div_ps(x, y); }
  static F Fma(F x, F y, F z) { return _mm256_fmadd_ps(x, y, z); }
  static F Fnma(F x, F y, F z) { return _mm256_fnmadd_ps(x, y, z); }
  static F IfLess(F x, F y, F u, F v) {
    return _mm256_blendv_ps(v, u, _mm256_cmp_ps(x, y, _CMP_LT_OQ));
  }
  static F Max(F x, F y) { return _mm256_max_ps(x, y); }
  static F Min(F x, F y) { return _mm256_min_ps(x, y); }
  static F Pow2(F t) {
    const __m256i bits = _mm256_slli_epi32(_mm256_castps_si256(t), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(0x3F800000)));
  }

  // Lanes i and i + 4, then 2 apart, then the last two.
  static float Reduce(F v) {
    __m128 sum = Halves(v);
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
  }
  // The same additions, four sums at a time.
  static void Reduce4(const F* v, float* out) {
    _mm_storeu_ps(out, Sum4(Halves(v[0]), Halves(v[1]), Halves(v[2]), Halves(v[3])));
  }
  static __m128 Sum4(__m128 a, __m128 b, __m128 c, __m128 d) {
    const __m128 ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
    const __m128 cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
    return _mm_add_ps(_mm_shuffle_ps(ab, cd, _MM_SHUFFLE(2, 0, 2, 0)),
                      _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 1, 3, 1)));
  }

  // Integers: 32 of int8, 16 of 16 bits or 8 of 32.
  using I = __m256i;
  static constexpr bool kDotsInto32 = false;

  static I ZeroBytes() { return _mm256_setzero_si256(); }
  static I SetByte(int v) { return _mm256_set1_epi8(static_cast<char>(v)); }
  static I SetWord(int32_t v) { return _mm256_set1_epi32(v); }
  static I LoadBytes(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
  }
  static I Low4(I v) { return And(v, SetByte(15)); }
  static I High4(I v) { return Low4(_mm256_srli_epi16(v, 4)); }
  static I And(I x, I y) { return _mm256_and_si256(x, y); }
  static I Or(I x, I y) { return _mm256_or_si256(x, y); }
  template <int kBits>
  static I ShiftLeft16(I v) {
    if constexpr (kBits < 0) return _mm256_srli_epi16(v, -kBits);
    return _mm256_slli_epi16(v, kBits < 0 ? 0 : kBits);
  }
  template <int kBits>
  static I ShiftLeft32(I v) {
    return _mm256_slli_epi32(v, kBits);
  }
  // Pairs of products as sums of 16 bits, for weights of at most 127; the caller knows how many of
  // them fit.
  static I DotPairs(I weights, I x) { return _mm256_maddubs_epi16(weights, x); }
  static I Add16(I x, I y) { return _mm256_add_epi16(x, y); }
  static I AddPairs(I sum, I pairs) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  // Weights + 128, of any eight bits. The bias comes off first, since unsigned their pairs' sums
  // would not fit: |weight| ≤ 128 and |x| ≤ 127 do.
  static I Dot(I sum, I weights, I x) {
    const I w = _mm256_xor_si256(weights, SetByte(128));
    return AddPairs(sum, DotPairs(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w)));
  }
  static F ToFloat(I v) { return _mm256_cvtepi32_ps(v); }
  static F LoadU8(const uint8_t* from) {
    return ToFloat(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  }
  static F LoadI8(const int8_t* from) {
    return ToFloat(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  }
  static void LoadPairsBF16(const void* from, F& even, F& odd) {
    const __m256i pairs = LoadBytes(from);
    even = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
    odd = _mm256_castsi256_ps(And(pairs, SetWord(static_cast<int32_t>(0xFFFF0000u))));
  }

  static void Quantise32(const float* x, int8_t* q, float* d, int32_t* lower, int32_t* upper) {
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    __m256i largest = _mm256_setzero_si256();
    for (int i = 0; i < 4; ++i) {
      const __m256i bits = _mm256_castps_si256(Load(x + 8 * i));
      largest = _mm256_max_epi32(largest, _mm256_and_si256(bits, magnitude));
    }
    __m128i half =
        _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
    half = _mm_max_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
    half = _mm_max_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1)));
    const auto bits = static_cast<uint32_t>(_mm_cvtsi128_si32(half));
    const bool finite = bits < 0x7F800000u;
    const float maximum = _mm_cvtss_f32(_mm_castsi128_ps(half));
    if (!finite || maximum < 0x1p-119f) {
      *d = finite ? 0.0f : std::numeric_limits<float>::quiet_NaN();
      *lower = *upper = 0;
      std::memset(q, 0, 32);
      return;
    }
    *d = maximum / 127.0f;
    const F inverse = Set1(127.0f / maximum);
    __m256i whole[4];
    for (int i = 0; i < 4; ++i) whole[i] = _mm256_cvtps_epi32(Mul(Load(x + 8 * i), inverse));
    *lower = SumWords(_mm256_add_epi32(whole[0], whole[1]));
    *upper = SumWords(_mm256_add_epi32(whole[2], whole[3]));
    const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(whole[0], whole[1]),
                                              _mm256_packs_epi32(whole[2], whole[3]));
    // Packing works within halves; this puts its fours in order.
    const __m256i ordered =
        _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q), ordered);
  }

 private:
  static int32_t SumWords(I v) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtsi128_si32(sum);
  }
  static __m128 Halves(F v) {
    return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_SIMD_AVX2_H_
