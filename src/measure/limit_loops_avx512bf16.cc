#if defined(__x86_64__)

#include "kernels/avx512_intrinsics.h"
#include "measure/limit_loops.h"

namespace jikji::measure {
namespace {

struct BF16Unit {
  using V = __m512;
  using Operand = uint16_t;
  using Sum = float;
  static constexpr int kStep = 32;
  static V Load(const void* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, V v) { _mm512_storeu_ps(to, v); }
  static V MultiplyAdd(V sum, V x, V y) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(x),
                            (__m512bh)_mm512_castps_si512(y));
  }
};

}  // namespace

double BF16MultiplyAddsAvx512(const LoopOperands& operands, int64_t rounds) {
  return CountMultiplyAdds<BF16Unit>(operands.bf16_ones, operands.zeros, rounds);
}

}  // namespace jikji::measure

#endif
