#if defined(__x86_64__)

#include "kernels/attention_caches_simd.h"
#include "kernels/simd_avx2.h"

namespace jikji::kernels {
namespace {

struct AttentionAvx2 : SimdAvx2 {
  static constexpr int kMostQueries = 4;
  // Of 16 registers: 8 sums are what two multiply-adds a cycle, four cycles deep, keep going.
  static constexpr int kScoreTile = 8;
  static constexpr int kQuantScoreTile = 4;  // each a sum of integers and one of floats
  static constexpr int kValueTile = 8;

  static F LoadInt8(const void* from) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(from))));
  }

  // The bits are F16's of 2^-8 as much: its exponent has one bit more, and a bias of 15 for 7.
  static F LoadF8(const void* from) {
    const __m128i codes = _mm_cvtepu8_epi16(_mm_loadl_epi64(static_cast<const __m128i*>(from)));
    const __m128i magnitude = _mm_slli_epi16(_mm_and_si128(codes, _mm_set1_epi16(0x7F)), 7);
    const __m128i sign = _mm_slli_epi16(_mm_and_si128(codes, _mm_set1_epi16(0x80)), 8);
    return Mul(_mm256_cvtph_ps(_mm_or_si128(magnitude, sign)), Set1(256.0f));
  }

  // A position's four bytes as 16-bit numbers: the first and third, the second and fourth.
  struct KeyBytes {
    __m256i even, odd;
  };
  static KeyBytes LoadKeys(const std::byte* from) {
    const __m256i bytes = LoadBytes(from);
    return {_mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)), _mm256_srli_epi16(bytes, 8)};
  }
  static void EncodeQuad(const int16_t* v, std::byte* to) {
    const int16_t pairs[] = {v[0], v[2], v[1], v[3]};
    std::memcpy(to, pairs, sizeof pairs);
  }
  struct KeySum {
    using Bias = int32_t;
    __m256i sum;

    KeySum() = default;
    explicit KeySum(Bias bias) : sum(_mm256_set1_epi32(bias)) {}
    void Add(const KeyBytes& keys, const std::byte* quad) {
      int32_t pairs[2];
      std::memcpy(pairs, quad, sizeof pairs);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(keys.even, _mm256_set1_epi32(pairs[0])));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(keys.odd, _mm256_set1_epi32(pairs[1])));
    }
    F Total() const { return _mm256_cvtepi32_ps(sum); }
    static Bias BiasOf(const int16_t* v) {
      Bias sum = 0;
      for (int i = 0; i < kKvGroup; ++i) sum -= kKeyBias * v[i];
      return sum;
    }
  };
};

}  // namespace

const AttentionVariant kAttentionAvx2 = MakeAttention<AttentionAvx2>();

}  // namespace jikji::kernels

#endif
