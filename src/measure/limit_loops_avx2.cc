#if defined(__x86_64__)

#include <immintrin.h>

#include "measure/limit_loops.h"

namespace jikji::measure {
namespace {

struct F32Unit {
  using V = __m256;
  using Operand = float;
  using Sum = float;
  static constexpr int kStep = 8;
  static V Load(const float* from) { return _mm256_loadu_ps(from); }
  static void Store(float* to, V v) { _mm256_storeu_ps(to, v); }
  static V MultiplyAdd(V sum, V x, V y) { return _mm256_fmadd_ps(x, y, sum); }
};

// Without VNNI a product of bytes takes three instructions: to pairs, to fours, to the sum.
struct Int8Unit {
  using V = __m256i;
  using Operand = int8_t;
  using Sum = int32_t;
  static constexpr int kStep = 32;
  static V Load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static void Store(void* to, V v) { _mm256_storeu_si256(static_cast<__m256i*>(to), v); }
  static V MultiplyAdd(V sum, V x, V y) {
    // An operand made opaque costs no instruction, and keeps twelve equal products from being one.
    __asm__("" : "+x"(x));
    const __m256i pairs = _mm256_maddubs_epi16(x, y);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

uint64_t Read(const std::byte* data, size_t bytes) {
  __m256i sums[2] = {};
  for (size_t at = 0; at < bytes; at += kMostBytes) {
    for (size_t i = 0; i < 2; ++i) {
      sums[i] = _mm256_add_epi64(
          sums[i], _mm256_load_si256(reinterpret_cast<const __m256i*>(data + at + 32 * i)));
    }
  }
  alignas(32) uint64_t words[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(words), _mm256_add_epi64(sums[0], sums[1]));
  return words[0] + words[1] + words[2] + words[3];
}

}  // namespace

const LimitLoops kLimitLoopsAvx2 = {
    .read = Read,
    .f32_multiply_adds =
        [](const LoopOperands& operands, int64_t rounds) {
          return CountMultiplyAdds<F32Unit>(operands.ones, operands.zeros, rounds);
        },
    .int8_multiply_adds =
        [](const LoopOperands& operands, int64_t rounds) {
          return CountMultiplyAdds<Int8Unit>(operands.byte_ones, operands.int_zeros, rounds);
        }};

}  // namespace jikji::measure

#endif
