// The loops behind machine_limits.h, one set for each instruction set.
//
// Each multiply-add loop adds 1 · 1 so often that the sum of its registers is the number of
// multiply-adds done: the count is what the units computed, not what was asked for. Ones and zeros
// come from memory that the compiler cannot see into, so that it can neither fold the loop nor
// merge its registers.
#ifndef JIKJI_MEASURE_LIMIT_LOOPS_H_
#define JIKJI_MEASURE_LIMIT_LOOPS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"

namespace jikji::measure {

// Registers that are added to in turn: latency 4 on 2 units needs 8, and 16 registers hold no more
// beside the operands.
inline constexpr int kChains = 12;
// Of the widest registers.
inline constexpr size_t kMostLanes = 16;
inline constexpr size_t kMostBytes = 64;

// Beyond it an f32 lane could no longer count by ones, or by the twos of a pair.
inline constexpr int64_t kMostRounds = 1 << 20;

struct LoopOperands {
  alignas(kMostBytes) float ones[kMostLanes * 2];
  alignas(kMostBytes) int8_t byte_ones[kMostBytes * 2];
  alignas(kMostBytes) uint16_t bf16_ones[kMostBytes];
  alignas(kMostBytes) float zeros[kMostLanes * kChains];
  alignas(kMostBytes) int32_t int_zeros[kMostLanes * kChains];
};

struct LimitLoops {
  // The sum of the u64 words; `bytes` is a multiple of kMostBytes, `data` aligned to it.
  uint64_t (*read)(const std::byte* data, size_t bytes);
  double (*f32_multiply_adds)(const LoopOperands& operands, int64_t rounds);
  double (*int8_multiply_adds)(const LoopOperands& operands, int64_t rounds);
};

extern const LimitLoops kLimitLoopsPortable;
#if defined(__x86_64__)
extern const LimitLoops kLimitLoopsAvx2;
extern const LimitLoops kLimitLoopsAvx512;

double BF16MultiplyAddsAvx512(const LoopOperands& operands, int64_t rounds);
#endif

const LimitLoops& LimitLoopsOf(kernels::Isa isa);

// Of BF16 values where the instruction set multiplies them, else of f32, as kernels then do.
double BF16MultiplyAdds(kernels::Isa isa, const LoopOperands& operands, int64_t rounds);

// `Unit` has a vector type V, kLanes of sums, and static Load(from), MultiplyAdd(sum, x, y), and
// Store(to, v) of sums; Operand and Sum are the types in memory, kStep operands fill a vector.
template <class Unit>
double CountMultiplyAdds(const typename Unit::Operand* ones, const typename Unit::Sum* zeros,
                         int64_t rounds) {
  typename Unit::V sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Unit::Load(zeros + i * kMostLanes);
  const auto y = Unit::Load(ones);
  for (int64_t round = 0; round < rounds; ++round) {
    // Another operand each round, or the product would be made once.
    const auto x = Unit::Load(ones + (round % 2) * Unit::kStep);
    for (int i = 0; i < kChains; ++i) sums[i] = Unit::MultiplyAdd(sums[i], x, y);
  }
  double count = 0;
  for (int i = 0; i < kChains; ++i) {
    typename Unit::Sum lanes[kMostLanes] = {};
    Unit::Store(lanes, sums[i]);
    for (const auto lane : lanes) count += static_cast<double>(lane);
  }
  return count;
}

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_LIMIT_LOOPS_H_
