// MatMul with AVX-512 and VNNI: how each weight type's bytes become vectors of 64 quants, two
// groups each.
#if defined(__x86_64__)

#include <cstddef>

#include "kernels/matmul_float_simd.h"
#include "kernels/matmul_quant_simd.h"
#include "kernels/simd_avx512.h"
#include "tensor/quant/blocks.h"

namespace jikji::kernels {
namespace {

using S = SimdAvx512;

__m512i Low4(__m512i v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
__m128i Load16(const std::byte* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
__m256i Load32(const std::byte* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
// 32 bytes twice, the second time shifted right.
__m512i Twice(__m256i v, int first, int second) {
  const auto a = static_cast<int64_t>(first), b = static_cast<int64_t>(second);
  return _mm512_srlv_epi64(_mm512_broadcast_i64x4(v), _mm512_setr_epi64(a, a, a, a, b, b, b, b));
}
// Two f16, each in eight lanes.
__m512 TwoScales(uint32_t first, uint32_t second) {
  const __m128 both = _mm_cvtph_ps(_mm_cvtsi32_si128(static_cast<int>(first | (second << 16))));
  return S::Spread(_mm512_castps128_ps512(both));
}
uint16_t Load2(const std::byte* from) {
  uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return bits;
}
__m512 Floats(uint64_t bytes) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<int64_t>(bytes))));
}

// Two blocks, or a last single one.
struct Q8_0Kind {
  static constexpr int kStep = 64, kStepBytes = 2 * sizeof(Q8_0Block);
  static constexpr bool kSigned = true, kMinimum = false;
  __m512i quants;
  __m512 scale;
  Q8_0Kind(const std::byte* at, int64_t groups) {
    constexpr size_t kQ = offsetof(Q8_0Block, qs), kD = offsetof(Q8_0Block, d);
    const __m512i first = _mm512_zextsi256_si512(Load32(at + kQ));
    if (groups > 1) {
      const std::byte* next = at + sizeof(Q8_0Block);
      quants = _mm512_inserti64x4(first, Load32(next + kQ), 1);
      scale = TwoScales(Load2(at + kD), Load2(next + kD));
    } else {
      quants = first;
      scale = TwoScales(Load2(at + kD), 0);
    }
  }
  __m512i Quants(int) const { return quants; }
  __m512 Scale(int) const { return scale; }
};

struct Q4_0Kind {
  static constexpr int kStep = 64, kStepBytes = 2 * sizeof(Q4_0Block);
  static constexpr bool kSigned = true, kMinimum = false;
  __m512i quants;
  __m512 scale;
  Q4_0Kind(const std::byte* at, int64_t groups) {
    constexpr size_t kQ = offsetof(Q4_0Block, qs), kD = offsetof(Q4_0Block, d);
    __m256i pairs = _mm256_zextsi128_si256(Load16(at + kQ));
    if (groups > 1) {
      const std::byte* next = at + sizeof(Q4_0Block);
      pairs = _mm256_inserti128_si256(pairs, Load16(next + kQ), 1);
      scale = TwoScales(Load2(at + kD), Load2(next + kD));
    } else {
      scale = TwoScales(Load2(at + kD), 0);
    }
    const __m512i spread = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 1, 0, 1, 2, 3, 2, 3),
                                                    _mm512_castsi256_si512(pairs));
    const __m512i nibbles = _mm512_srlv_epi64(spread, _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4));
    quants = _mm512_sub_epi8(Low4(nibbles), _mm512_set1_epi8(8));
  }
  __m512i Quants(int) const { return quants; }
  __m512 Scale(int) const { return scale; }
};

// Q4_K and Q5_K.
template <class Block>
struct KKind {
  static constexpr int kStep = 256, kStepBytes = sizeof(Block);
  static constexpr bool kSigned = false, kMinimum = true;
  const std::byte* from;
  __m512 scales;  // of the 8 groups
  __m512 minima;

  KKind(const std::byte* at, int64_t) : from(at) {
    const KScaleBytes bytes = LoadKScales<S>(at + offsetof(Block, scales));
    scales = S::Mul(S::Set1(LoadHalf<S>(at + offsetof(Block, d))), Floats(bytes.scales));
    // Masked, since an infinite dmin times the zeros above the eight minima would be NaN.
    minima = _mm512_maskz_mul_ps(0xFF, S::Set1(LoadHalf<S>(at + offsetof(Block, dmin))),
                                 Floats(bytes.minima));
  }
  __m512i Quants(int v) const {
    __m512i q = Low4(Twice(Load32(from + offsetof(Block, qs) + 32 * v), 0, 4));
    if constexpr (requires(const Block& block) { block.qh; }) {
      const __m512i high = _mm512_broadcast_i64x4(Load32(from + offsetof(Block, qh)));
      const __m512i bits = _mm512_inserti64x4(_mm512_set1_epi8(static_cast<char>(1 << (2 * v))),
                                              _mm256_set1_epi8(static_cast<char>(2 << (2 * v))), 1);
      const __mmask64 set = _mm512_test_epi8_mask(high, bits);
      q = _mm512_mask_add_epi8(q, set, q, _mm512_set1_epi8(16));
    }
    return q;
  }
  __m512 Scale(int v) const {
    const int a = 2 * v, b = 2 * v + 1;
    return _mm512_permutexvar_ps(_mm512_setr_epi32(a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b),
                                 scales);
  }
  __m512 Minima() const { return minima; }
};

struct Q6_KKind {
  static constexpr int kStep = 256, kStepBytes = sizeof(Q6_KBlock);
  static constexpr bool kSigned = true, kMinimum = false;
  const std::byte* from;
  __m512 scales;  // of the 16 groups of 16

  Q6_KKind(const std::byte* at, int64_t) : from(at) {
    const __m128i bytes = Load16(at + offsetof(Q6_KBlock, scales));
    scales = S::Mul(S::Set1(LoadHalf<S>(at + offsetof(Q6_KBlock, d))),
                    S::ToFloat(_mm512_cvtepi8_epi32(bytes)));
  }
  __m512i Quants(int v) const {
    const int half = v / 2, k = 2 * (v % 2);
    const __m512i pairs = S::LoadBytes(from + offsetof(Q6_KBlock, ql) + 64 * half);
    const __m512i low = Low4(k == 0 ? pairs : _mm512_srli_epi16(pairs, 4));
    const __m512i high =
        Twice(Load32(from + offsetof(Q6_KBlock, qh) + 32 * half), 2 * k, 2 * k + 2);
    const __m512i two = _mm512_and_si512(high, _mm512_set1_epi8(3));
    return _mm512_sub_epi8(_mm512_or_si512(low, _mm512_slli_epi16(two, 4)), _mm512_set1_epi8(32));
  }
  __m512 Scale(int v) const {
    const int a = 4 * v, b = a + 1, c = a + 2, d = a + 3;
    return _mm512_permutexvar_ps(_mm512_setr_epi32(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d),
                                 scales);
  }
};

MatMulKernel Kernel(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return {FloatRows<S, F32Weights<S>>};
    case DType::kF16:
      return {FloatRows<S, F16Weights<S>>};
    case DType::kBF16:
      return {FloatRows<S, BF16Weights<S>>};
    case DType::kQ4_0:
      return QuantKernel<S, Q4_0Kind>();
    case DType::kQ8_0:
      return QuantKernel<S, Q8_0Kind>();
    case DType::kQ4_K:
      return QuantKernel<S, KKind<Q4_KBlock>>();
    case DType::kQ5_K:
      return QuantKernel<S, KKind<Q5_KBlock>>();
    case DType::kQ6_K:
      return QuantKernel<S, Q6_KKind>();
  }
  return {};
}

}  // namespace

const MatMulVariant kMatMulAvx512 = {Kernel, QuantiseSimd<S>};

}  // namespace jikji::kernels

#endif
