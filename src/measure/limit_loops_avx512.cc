#if defined(__x86_64__)

#include "kernels/simd_avx512.h"
#include "measure/limit_loops.h"

namespace jikji::measure {
namespace {

struct F32Unit {
  using V = __m512;
  using Operand = float;
  using Sum = float;
  static constexpr int kStep = 16;
  static V Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, V v) { _mm512_storeu_ps(to, v); }
  static V MultiplyAdd(V sum, V x, V y) { return _mm512_fmadd_ps(x, y, sum); }
};

struct Int8Unit {
  using V = __m512i;
  using Operand = int8_t;
  using Sum = int32_t;
  static constexpr int kStep = 64;
  static V Load(const void* from) { return _mm512_loadu_si512(from); }
  static void Store(void* to, V v) { _mm512_storeu_si512(to, v); }
  static V MultiplyAdd(V sum, V x, V y) { return _mm512_dpbusd_epi32(sum, x, y); }
};

uint64_t Read(const std::byte* data, size_t bytes) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t at = 0; at < bytes; at += kMostBytes) {
    sum = _mm512_add_epi64(sum, _mm512_load_si512(data + at));
  }
  alignas(64) uint64_t words[8];
  _mm512_store_si512(words, sum);
  uint64_t total = 0;
  for (const uint64_t word : words) total += word;
  return total;
}

}  // namespace

const LimitLoops kLimitLoopsAvx512 = {
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
