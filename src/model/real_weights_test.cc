// Trained weights: a GGUF file of the llama2.c project and the built-in model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "base/file.h"
#include "kernels/each_isa.h"
#include "model/golden_models.h"
#include "model/model.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

const fs::path kStories = fs::path(JIKJI_SOURCE_DIR) / "../shared/data/weights/stories260K";
const fs::path kBuiltIn = fs::path(JIKJI_SOURCE_DIR) / "models/jikji-mini-ko";

// The list of numbers in brackets.
std::vector<int32_t> GoldenIds(const std::string& text) {
  std::vector<int32_t> ids;
  std::string list = text.substr(text.rfind('[') + 1);
  std::ranges::replace(list, ',', ' ');
  std::istringstream in(list);
  for (int32_t id; in >> id;) ids.push_back(id);
  return ids;
}

TEST(RealWeightsTest, StoriesGreedyIdsAreThoseOfItsGoldenFile) {
  const fs::path file = kStories / "stories260K.gguf";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not here";
  const auto golden_text = ReadFile(kStories / "GOLDEN.txt");
  ASSERT_TRUE(golden_text);
  const std::vector<int32_t> golden = GoldenIds(*golden_text);
  ASSERT_EQ(golden.size(), 91u);
  auto model = LoadModel(file);
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_EQ(model->description.name, "stories260K");
  EXPECT_EQ(model->description.chat_template, nullptr);
  EXPECT_EQ(model->description.bos_token, "<s>");
  EXPECT_EQ(model->description.stop_ids, std::vector<TokenId>{2});
  const int32_t bos = 1;
  for (const DType cache : {DType::kF32, DType::kF16}) {
    std::vector<int32_t> ids = {bos};  // BOS and 90 more
    const auto greedy = Sequence(*model->decoder, 96, cache).Greedy(std::span(&bos, 1), 90);
    ids.insert(ids.end(), greedy.begin(), greedy.end());
    EXPECT_EQ(ids, golden) << DTypeName(cache);
  }
  const std::string text = model->description.tokenizer->Decode(golden);
  EXPECT_TRUE(text.starts_with("Once upon a time, there was a little girl named Lily.")) << text;
}

TEST(RealWeightsTest, TheBuiltInModelAnswersAsInTransformers) {
  const GoldenModel& golden = GoldenBuiltIn();
  double last = 0;
  auto model = LoadModel(kBuiltIn, [&](double share) {
    EXPECT_GE(share, last);
    last = share;
  });
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_EQ(last, 1.0);
  kernels::ForEachIsa([&] {
    // Its weights are BF16: where BF16 is multiplied, activations are rounded to 8 bits.
    const bool rounded = kernels::ActiveIsa() == kernels::Isa::kAvx512Bf16;
    const auto logits = Sequence(*model->decoder, 32).Run(golden.prompt, golden.rows);
    const double error = RelativeError(logits, golden.logits);
    const auto greedy = Sequence(*model->decoder, 96).Greedy(golden.prompt, golden.greedy.size());
    std::printf("%-18s max relative error of logits %.1e, %zu greedy tokens %s (%s)\n",
                "jikji-mini-ko", error, greedy.size(),
                greedy == golden.greedy ? "the same" : "DIFFER",
                std::string(kernels::IsaName(kernels::ActiveIsa())).c_str());
    EXPECT_LT(error, rounded ? 1e-2 : 1e-3);
    EXPECT_EQ(greedy, golden.greedy);
  });
}

TEST(RealWeightsTest, TheBuiltInModelDescribesItself) {
  const auto model = DescribeModel(kBuiltIn.string() + "/");
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_EQ(model->name, "jikji-mini-ko");
  EXPECT_EQ(model->spec.family, "llama");
  EXPECT_EQ(model->spec.vocab, 4096);
  EXPECT_EQ(model->tokenizer->vocab_size(), 4096);
  EXPECT_EQ(model->bos_token, "<|begin_of_text|>");
  EXPECT_EQ(model->eos_token, "<|end|>");
  EXPECT_EQ(model->stop_ids, (std::vector<TokenId>{1, 5}));
  ASSERT_NE(model->chat_template, nullptr);
  EXPECT_EQ(model->template_source, *ReadFile(kBuiltIn / "chat_template.jinja"));
  EXPECT_EQ(model->defaults.temperature, 0.7);
  EXPECT_EQ(model->defaults.top_p, 0.9);
  EXPECT_EQ(model->defaults.do_sample, true);
  EXPECT_EQ(model->defaults.top_k, std::nullopt);
}

}  // namespace
}  // namespace jikji
