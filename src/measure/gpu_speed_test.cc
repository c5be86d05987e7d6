#include "measure/gpu_speed.h"

#include <gtest/gtest.h>

#include <set>

#include "device/emulated/emulated_device.h"

namespace jikji::measure {
namespace {

// On the emulated device times mean nothing; what is counted and launched does.
TEST(GpuSpeedTest, CountsWhatIsReadAndMultiplied) {
  std::multiset<std::string> kernels;
  const auto device = device::MakeEmulatedDevice({.healthy = [&](std::string_view kernel) {
    kernels.emplace(kernel);
    return true;
  }});
  DecoderSpec spec;
  spec.hidden = 64;
  spec.intermediate = 96;
  spec.heads = 4;
  spec.kv_heads = 2;
  spec.head_dim = 16;
  spec.vocab = 128;
  spec.layers.resize(2);
  const auto speed = MeasureGpu(*device, spec,
                                {.tokens = {1, 40},
                                 .dtypes = {DType::kBF16, DType::kQ8_0, DType::kQ4_K},
                                 .context = 600,
                                 .copy_bytes = 1 << 16,
                                 .repeat = 1});
  ASSERT_TRUE(speed) << speed.error().ToString();
  EXPECT_GT(speed->copy_bytes_per_second, 0);
  // Two lengths and the head, of each type that fits, and attention: blocks of Q4_K are wider.
  ASSERT_EQ(speed->figures.size(), 7u);
  const GpuFigure& one = speed->figures[0];
  EXPECT_EQ(one.what, "products of a layer, BF16, 1 token(s)");
  const double values = 2 * 32 * 64 + 2 * 64 * 64 + 3 * 96 * 64;
  EXPECT_EQ(one.operations, 2 * values);
  const double activations = 6 * 64 * 2 + 96 * 2 + (2 * 32 + 2 * 64 + 2 * 96 + 64) * 4;
  EXPECT_EQ(one.bytes, 2 * values + activations);
  EXPECT_EQ(speed->figures[1].operations, 40 * one.operations);
  const GpuFigure& attention = speed->figures.back();
  EXPECT_EQ(attention.bytes, 2.0 * 608 * 32 * 2);  // whole pages
  for (const GpuFigure& figure : speed->figures) EXPECT_GT(figure.seconds, 0) << figure.what;
  // Once to warm up, then a run of ten.
  EXPECT_EQ(kernels.count("jikji_matmul_BF16_8"), 11u * 8);
  EXPECT_EQ(kernels.count("jikji_matmul_Q8_0_wide"), 11u * 7);
  EXPECT_EQ(kernels.count("jikji_attention_32"), 11u);
  EXPECT_EQ(kernels.count("jikji_attention_merge"), 11u);
}

TEST(GpuSpeedTest, TheShapesOfEightBillion) {
  const DecoderSpec spec = EightBillion();
  const auto layers = static_cast<int64_t>(spec.layers.size());
  const int64_t layer = 2 * spec.hidden * spec.heads * spec.head_dim +
                        2 * spec.hidden * spec.kv_heads * spec.head_dim +
                        3 * spec.hidden * spec.intermediate + 2 * spec.hidden;
  EXPECT_EQ(layers * layer + 2 * spec.vocab * spec.hidden + spec.hidden, 8'030'261'248);
}

}  // namespace
}  // namespace jikji::measure
