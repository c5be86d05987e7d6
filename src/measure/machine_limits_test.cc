#include "measure/machine_limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/each_isa.h"
#include "measure/limit_loops.h"
#include "tensor/quant/half.h"

namespace jikji::measure {
namespace {

// What the loops count must be what their instructions do: rounds × registers × lanes × products.
TEST(MachineLimitsTest, LoopsCountEveryMultiplyAdd) {
  LoopOperands operands = {};
  std::fill(std::begin(operands.ones), std::end(operands.ones), 1.0f);
  std::fill(std::begin(operands.byte_ones), std::end(operands.byte_ones), 1);
  std::fill(std::begin(operands.bf16_ones), std::end(operands.bf16_ones), F32ToBF16(1.0f));
  kernels::ForEachIsa([&] {
    const kernels::Isa isa = kernels::ActiveIsa();
    const LimitLoops& loops = LimitLoopsOf(isa);
    const double lanes = isa >= kernels::Isa::kAvx512 ? 16 : isa == kernels::Isa::kAvx2 ? 8 : 4;
    const double products = isa == kernels::Isa::kPortable ? 1 : 4;  // of bytes in a lane
    const double pairs = isa == kernels::Isa::kAvx512Bf16 ? 2 : 1;
    for (const int64_t rounds : {int64_t{0}, int64_t{1}, int64_t{1001}, kMostRounds}) {
      const double sums = static_cast<double>(rounds) * kChains * lanes;
      EXPECT_EQ(loops.f32_multiply_adds(operands, rounds), sums);
      EXPECT_EQ(loops.int8_multiply_adds(operands, rounds), sums * products);
      EXPECT_EQ(BF16MultiplyAdds(isa, operands, rounds), sums * pairs);
    }
  });
}

TEST(MachineLimitsTest, ReadsEveryWord) {
  struct alignas(kMostBytes) Line {
    uint64_t words[kMostBytes / 8];
  };
  std::vector<Line> lines(1000);
  uint64_t next = 1, sum = 0;
  for (Line& line : lines) {
    for (uint64_t& word : line.words) {
      word = next = next * 6364136223846793005u + 1442695040888963407u;
      sum += word;
    }
  }
  kernels::ForEachIsa([&] {
    const auto* data = reinterpret_cast<const std::byte*>(lines.data());
    EXPECT_EQ(LimitLoopsOf(kernels::ActiveIsa()).read(data, lines.size() * kMostBytes), sum);
  });
}

TEST(MachineLimitsTest, EveryLimitIsFound) {
  ThreadPool pool(2);
  const auto limits = MeasureLimits(pool);
  ASSERT_TRUE(limits);
  EXPECT_GT(limits->read_bytes, 0);
  EXPECT_GT(limits->int8_ops, 0);
  EXPECT_GT(limits->bf16_ops, 0);
  EXPECT_GT(limits->f32_ops, 0);
}

}  // namespace
}  // namespace jikji::measure
