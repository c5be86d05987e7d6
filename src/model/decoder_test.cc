// The decoder against transformers: the same weights, the same numbers.
#include "model/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "model/golden_models.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

// Issue's bound. What is reached is printed; rounding alone gives some 1e-6.
constexpr double kTolerance = 1e-3;

std::string TestName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

std::vector<std::string> Names() {
  return {"llama",        "llama-tied", "llama-bias",  "llama-head-dim",    "llama-linear",
          "llama-llama3", "llama-yarn", "mistral",     "llama-yarn-custom", "qwen2",
          "qwen2-window", "qwen3",      "hyperclovax", "exaone4-hybrid",    "exaone4-global"};
}

class Goldens : public testing::TestWithParam<std::string> {
 protected:
  const GoldenModel& model_ = GoldenNamed(GetParam());
  TemporaryFolder folder_;
};

TEST_P(Goldens, LogitsAndGreedyTokensAreThoseOfTransformers) {
  ASSERT_TRUE(WriteFolder(model_, folder_.path(), AllAs(DType::kF32)));
  auto decoder = LoadDecoder(folder_.path());
  ASSERT_TRUE(decoder) << decoder.error().ToString();
  const auto logits = Sequence(**decoder, 32).Run(model_.prompt, model_.rows);
  const double error = RelativeError(logits, model_.logits);
  std::printf("%-18s max relative error of logits %.1e", model_.name.c_str(), error);
  EXPECT_LT(error, kTolerance);
  const auto greedy = Sequence(**decoder, 96).Greedy(model_.prompt, model_.greedy.size());
  EXPECT_EQ(greedy, model_.greedy);
  std::printf(", %zu greedy tokens %s\n", greedy.size(),
              greedy == model_.greedy ? "the same" : "DIFFER");
}

// What only some batches have: no logits wanted, nothing at all, rows of several sequences.
TEST(DecoderTest, ABatchMayWantNoLogits) {
  const GoldenModel& model = GoldenNamed("qwen3");
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
  auto decoder = LoadDecoder(folder.path());
  ASSERT_TRUE(decoder) << decoder.error().ToString();
  Sequence sequence(**decoder, 32);
  const std::span<const int32_t> prompt = model.prompt;
  EXPECT_TRUE(sequence.Run(prompt.first(23), {}).empty());
  EXPECT_TRUE(sequence.Run({}, {}).empty());
  const int32_t first = 0;
  const auto logits = sequence.Run(prompt.last(1), std::span(&first, 1));
  EXPECT_LT(RelativeError(logits, std::span(model.logits).last(256)), kTolerance);
}

TEST(DecoderTest, TheLargestScratchServesSmallerSteps) {
  const GoldenModel& model = GoldenNamed("llama-bias");
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
  auto decoder = LoadDecoder(folder.path());
  ASSERT_TRUE(decoder);
  const std::vector<int32_t> many(400, 7);
  const int32_t last = 399;
  Sequence(**decoder, 400).Run(many, std::span(&last, 1));
  EXPECT_EQ(Sequence(**decoder, 96).Greedy(model.prompt, 64), model.greedy);
}

INSTANTIATE_TEST_SUITE_P(Transformers, Goldens, testing::ValuesIn(Names()), TestName);

}  // namespace
}  // namespace jikji
