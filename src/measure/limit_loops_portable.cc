#include <cstring>

#include "measure/limit_loops.h"

namespace jikji::measure {
namespace {

// What SSE2 and NEON have as registers.
using Floats = float __attribute__((vector_size(16)));
using Ints = int32_t __attribute__((vector_size(16)));
using Words = uint64_t __attribute__((vector_size(16)));

struct F32Unit {
  using V = Floats;
  using Operand = float;
  using Sum = float;
  static constexpr int kStep = 4;
  static V Load(const void* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  static void Store(void* to, V v) { std::memcpy(to, &v, sizeof v); }
  static V MultiplyAdd(V sum, V x, V y) { return sum + x * y; }
};

// Without a product of bytes: each is widened first.
struct Int8Unit {
  using V = Ints;
  using Operand = int8_t;
  using Sum = int32_t;
  static constexpr int kStep = 4;
  static V Load(const int32_t* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  static V Load(const int8_t* from) { return V{from[0], from[1], from[2], from[3]}; }
  static void Store(void* to, V v) { std::memcpy(to, &v, sizeof v); }
  static V MultiplyAdd(V sum, V x, V y) { return sum + x * y; }
};

uint64_t Read(const std::byte* data, size_t bytes) {
  Words sums[4] = {};
  for (size_t at = 0; at < bytes; at += sizeof sums) {
    Words words[4];
    std::memcpy(words, data + at, sizeof words);
    for (int i = 0; i < 4; ++i) sums[i] += words[i];
  }
  const Words sum = sums[0] + sums[1] + sums[2] + sums[3];
  return sum[0] + sum[1];
}

}  // namespace

const LimitLoops kLimitLoopsPortable = {
    .read = Read,
    .f32_multiply_adds =
        [](const LoopOperands& operands, int64_t rounds) {
          return CountMultiplyAdds<F32Unit>(operands.ones, operands.zeros, rounds);
        },
    .int8_multiply_adds =
        [](const LoopOperands& operands, int64_t rounds) {
          return CountMultiplyAdds<Int8Unit>(operands.byte_ones, operands.int_zeros, rounds);
        }};

const LimitLoops& LimitLoopsOf(kernels::Isa isa) {
#if defined(__x86_64__)
  if (isa >= kernels::Isa::kAvx512) return kLimitLoopsAvx512;
  if (isa == kernels::Isa::kAvx2) return kLimitLoopsAvx2;
#endif
  return kLimitLoopsPortable;
}

double BF16MultiplyAdds(kernels::Isa isa, const LoopOperands& operands, int64_t rounds) {
#if defined(__x86_64__)
  if (isa == kernels::Isa::kAvx512Bf16) return BF16MultiplyAddsAvx512(operands, rounds);
#endif
  return LimitLoopsOf(isa).f32_multiply_adds(operands, rounds);
}

}  // namespace jikji::measure
