#if defined(__x86_64__)

#include "kernels/attention_caches_simd.h"
#include "kernels/simd_avx512.h"

namespace jikji::kernels {
namespace {

struct AttentionAvx512 : SimdAvx512 {
  static constexpr int kMostQueries = 8;
  // Of 32 registers, leaving room for keys or values and a query.
  static constexpr int kScoreTile = 16;
  static constexpr int kQuantScoreTile = 8;  // each two sums of integers and one of floats
  static constexpr int kValueTile = 16;

  static F LoadInt8(const void* from) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(from))));
  }

  // The bits are F16's of 2^-8 as much: its exponent has one bit more, and a bias of 15 for 7.
  static F LoadF8(const void* from) {
    const __m256i codes = _mm256_cvtepu8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(from)));
    const __m256i magnitude =
        _mm256_slli_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0x7F)), 7);
    const __m256i sign = _mm256_slli_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0x80)), 8);
    return Mul(_mm512_cvtph_ps(_mm256_or_si256(magnitude, sign)), Set1(256.0f));
  }

  static __m512i LoadKeys(const std::byte* from) { return LoadBytes(from); }
  // v = 128 · high + low, two signed bytes: four of high, then four of low.
  static void EncodeQuad(const int16_t* v, std::byte* to) {
    int8_t bytes[8];
    for (int i = 0; i < 4; ++i) {
      bytes[i] = High(v[i]);
      bytes[4 + i] = static_cast<int8_t>(v[i] - 128 * bytes[i]);
    }
    std::memcpy(to, bytes, sizeof bytes);
  }
  static int8_t High(int16_t v) { return static_cast<int8_t>((v + 64) >> 7); }

  struct KeySum {
    struct Bias {
      int32_t high, low;
    };
    __m512i high, low;

    KeySum() = default;
    explicit KeySum(Bias bias)
        : high(_mm512_set1_epi32(bias.high)), low(_mm512_set1_epi32(bias.low)) {}
    void Add(__m512i keys, const std::byte* quad) {
      high = _mm512_dpbusd_epi32(high, keys, Broadcast(quad));
      low = _mm512_dpbusd_epi32(low, keys, Broadcast(quad + 4));
    }
    // Through f32: of integers, GCC loads both halves at once and parts them by shifts.
    static __m512i Broadcast(const std::byte* from) {
      float bits;
      std::memcpy(&bits, from, sizeof bits);
      return _mm512_castps_si512(_mm512_set1_ps(bits));
    }
    F Total() const {
      return _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(high, 7), low));
    }
    static Bias BiasOf(const int16_t* v) {
      Bias sum{0, 0};
      for (int i = 0; i < kKvGroup; ++i) {
        sum.high -= kKeyBias * High(v[i]);
        sum.low -= kKeyBias * (v[i] - 128 * High(v[i]));
      }
      return sum;
    }
  };
};

}  // namespace

const AttentionVariant kAttentionAvx512 = MakeAttention<AttentionAvx512>();

}  // namespace jikji::kernels

#endif
