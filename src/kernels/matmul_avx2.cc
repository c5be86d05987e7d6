// MatMul with AVX2: how each weight type's bytes become vectors of 32 quants, one group each.
#if defined(__x86_64__)

#include <cstddef>

#include "kernels/matmul_float_simd.h"
#include "kernels/matmul_quant_simd.h"
#include "kernels/simd_avx2.h"
#include "tensor/quant/blocks.h"

namespace jikji::kernels {
namespace {

using S = SimdAvx2;

__m256i Low4(__m256i v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
__m256i High4(__m256i v) { return Low4(_mm256_srli_epi16(v, 4)); }
__m256i Both(__m128i low, __m128i high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}
__m128i Load16(const std::byte* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
// Eight bytes as floats.
__m256 Floats(uint64_t bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<int64_t>(bytes))));
}

struct Q8_0Kind {
  static constexpr int kStep = 32, kStepBytes = sizeof(Q8_0Block);
  static constexpr bool kSigned = true, kMinimum = false;
  const std::byte* from;
  Q8_0Kind(const std::byte* at, int64_t) : from(at) {}
  __m256i Quants(int) const { return S::LoadBytes(from + offsetof(Q8_0Block, qs)); }
  __m256 Scale(int) const { return S::Set1(LoadHalf<S>(from + offsetof(Q8_0Block, d))); }
};

struct Q4_0Kind {
  static constexpr int kStep = 32, kStepBytes = sizeof(Q4_0Block);
  static constexpr bool kSigned = true, kMinimum = false;
  const std::byte* from;
  Q4_0Kind(const std::byte* at, int64_t) : from(at) {}
  __m256i Quants(int) const {
    const __m128i pairs = Load16(from + offsetof(Q4_0Block, qs));
    return _mm256_sub_epi8(Low4(Both(pairs, _mm_srli_epi16(pairs, 4))), _mm256_set1_epi8(8));
  }
  __m256 Scale(int) const { return S::Set1(LoadHalf<S>(from + offsetof(Q4_0Block, d))); }
};

// Q4_K and Q5_K.
template <class Block>
struct KKind {
  static constexpr int kStep = 256, kStepBytes = sizeof(Block);
  static constexpr bool kSigned = false, kMinimum = true;
  const std::byte* from;
  float scales[8];
  __m256 minima;

  KKind(const std::byte* at, int64_t) : from(at) {
    const KScaleBytes bytes = LoadKScales<S>(at + offsetof(Block, scales));
    const __m256 d = S::Set1(LoadHalf<S>(at + offsetof(Block, d)));
    const __m256 dmin = S::Set1(LoadHalf<S>(at + offsetof(Block, dmin)));
    S::Store(scales, S::Mul(d, Floats(bytes.scales)));
    minima = S::Mul(dmin, Floats(bytes.minima));
  }
  __m256i Quants(int v) const {
    const __m256i pairs = S::LoadBytes(from + offsetof(Block, qs) + 32 * (v / 2));
    const __m256i low = v % 2 == 0 ? Low4(pairs) : High4(pairs);
    if constexpr (requires(const Block& block) { block.qh; }) {
      const __m256i bit = _mm256_set1_epi8(static_cast<char>(1 << v));
      const __m256i high = S::LoadBytes(from + offsetof(Block, qh));
      const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(high, bit), bit);
      return _mm256_or_si256(low, _mm256_and_si256(set, _mm256_set1_epi8(16)));
    }
    return low;
  }
  __m256 Scale(int v) const { return S::GroupScales(scales + v); }
  __m256 Minima() const { return minima; }
};

struct Q6_KKind {
  static constexpr int kStep = 256, kStepBytes = sizeof(Q6_KBlock);
  static constexpr bool kSigned = true, kMinimum = false;
  const std::byte* from;
  float scales[16];

  Q6_KKind(const std::byte* at, int64_t) : from(at) {
    const __m256 d = S::Set1(LoadHalf<S>(at + offsetof(Q6_KBlock, d)));
    const __m128i bytes = Load16(at + offsetof(Q6_KBlock, scales));
    S::Store(scales, S::Mul(d, S::ToFloat(_mm256_cvtepi8_epi32(bytes))));
    S::Store(scales + 8, S::Mul(d, S::ToFloat(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)))));
  }
  __m256i Quants(int v) const {
    const int half = v / 4, k = v % 4;
    const __m256i pairs = S::LoadBytes(from + offsetof(Q6_KBlock, ql) + 64 * half + 32 * (k % 2));
    const __m256i low = k < 2 ? Low4(pairs) : High4(pairs);
    const __m256i high = S::LoadBytes(from + offsetof(Q6_KBlock, qh) + 32 * half);
    const __m256i two = _mm256_and_si256(_mm256_srli_epi16(high, 2 * k), _mm256_set1_epi8(3));
    return _mm256_sub_epi8(_mm256_or_si256(low, _mm256_slli_epi16(two, 4)), _mm256_set1_epi8(32));
  }
  __m256 Scale(int v) const {
    return _mm256_set_m128(_mm_broadcast_ss(scales + 2 * v + 1), _mm_broadcast_ss(scales + 2 * v));
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

const MatMulVariant kMatMulAvx2 = {Kernel, QuantiseSimd<S>};

}  // namespace jikji::kernels

#endif
