#include "measure/step_cost.h"

#include <gtest/gtest.h>

#include "model/model.h"

namespace jikji::measure {
namespace {

const ModelDescription& BuiltIn() {
  static const ModelDescription model =
      DescribeModel(JIKJI_SOURCE_DIR "/models/jikji-mini-ko").value();
  return model;
}

StepCost Cost(const DecoderSpec& spec, const std::vector<StepSlice>& slices) {
  return CostOfStep(*BuiltIn().checkpoint, spec, DType::kF16, slices);
}

TEST(StepCostTest, OneTokenReadsEveryMatrixOnce) {
  const DecoderSpec& spec = BuiltIn().spec;
  const double q = static_cast<double>(spec.heads * spec.head_dim);
  const double kv = static_cast<double>(spec.kv_heads * spec.head_dim);
  const auto hidden = static_cast<double>(spec.hidden);
  const auto layers = static_cast<double>(spec.layers.size());
  const double values =
      layers * hidden * (2 * q + 2 * kv + 3 * static_cast<double>(spec.intermediate)) +
      static_cast<double>(spec.vocab) * hidden;
  const StepCost cost = Cost(spec, {{.start = 0, .tokens = 1}});
  EXPECT_EQ(cost.int8_ops, 0) << "its weights are BF16";
  EXPECT_EQ(cost.bf16_ops, 2 * values);
  EXPECT_EQ(cost.f32_ops, 4 * q * layers);
  EXPECT_EQ(cost.bytes, 2 * values + layers * 2 * kv * 2) << "two bytes a weight, and a position";
}

TEST(StepCostTest, TokensOfAStepShareTheWeightsButNotTheOperations) {
  const DecoderSpec& spec = BuiltIn().spec;
  const StepCost one = Cost(spec, {{.start = 0, .tokens = 1}});
  const StepCost four = Cost(spec, std::vector<StepSlice>(4));
  const double kv = 2.0 * 2 * static_cast<double>(spec.layers.size()) *
                    static_cast<double>(spec.kv_heads * spec.head_dim);
  EXPECT_EQ(four.bytes, one.bytes + 3 * kv);
  EXPECT_EQ(four.bf16_ops, 4 * one.bf16_ops);
  EXPECT_EQ(four.f32_ops, 4 * one.f32_ops);
}

TEST(StepCostTest, AChunkedPrefillComputesWhatAWholeOneDoesButForItsLogits) {
  const DecoderSpec& spec = BuiltIn().spec;
  const StepCost whole = Cost(spec, {{.start = 0, .tokens = 30}});
  const StepCost a = Cost(spec, {{.start = 0, .tokens = 11}});
  const StepCost b = Cost(spec, {{.start = 11, .tokens = 19}});
  const double head = 2.0 * static_cast<double>(spec.vocab * spec.hidden);
  EXPECT_EQ(a.bf16_ops + b.bf16_ops, whole.bf16_ops + head);
  EXPECT_EQ(a.f32_ops + b.f32_ops, whole.f32_ops);
}

TEST(StepCostTest, AWindowBoundsWhatIsRead) {
  DecoderSpec spec = BuiltIn().spec;
  const StepCost open = Cost(spec, {{.start = 100, .tokens = 3}});
  for (LayerSpec& layer : spec.layers) layer.window = 10;
  const StepCost windowed = Cost(spec, {{.start = 100, .tokens = 3}});
  const auto layers = static_cast<double>(spec.layers.size());
  const double row = 2.0 * static_cast<double>(spec.kv_heads * spec.head_dim);
  EXPECT_EQ(open.bytes - windowed.bytes, layers * 2 * row * (103 - 12));
  EXPECT_EQ(open.f32_ops - windowed.f32_ops,
            layers * 4 * static_cast<double>(spec.heads * spec.head_dim) * (101 + 102 + 103 - 30));
}

TEST(StepCostTest, TheSlowerOfReadingAndComputingIsTheLimit) {
  const MachineLimits limits = {.read_bytes = 10, .int8_ops = 100, .bf16_ops = 80, .f32_ops = 50};
  const StepLimit reads = LimitOf({.bytes = 20, .int8_ops = 100, .f32_ops = 10}, limits);
  EXPECT_EQ(reads.kind, LimitKind::kBandwidth);
  EXPECT_DOUBLE_EQ(reads.seconds, 2);
  const StepLimit computes = LimitOf({.bytes = 20, .int8_ops = 200, .f32_ops = 50}, limits);
  EXPECT_EQ(computes.kind, LimitKind::kInt8);
  EXPECT_DOUBLE_EQ(computes.seconds, 3);
  EXPECT_EQ(LimitOf({.f32_ops = 50}, limits).kind, LimitKind::kF32);
  const StepLimit mixed = LimitOf({.bf16_ops = 160, .f32_ops = 50}, limits);
  EXPECT_EQ(mixed.kind, LimitKind::kBF16);
  EXPECT_DOUBLE_EQ(mixed.seconds, 3);
}

}  // namespace
}  // namespace jikji::measure
