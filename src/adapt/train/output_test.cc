#include "adapt/train/output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "adapt/train/memory_plan.h"
#include "adapt/train/small_model.h"
#include "base/json.h"
#include "model/golden_models.h"
#include "model/model.h"

namespace jikji::train {
namespace {

const std::filesystem::path kBase =
    std::filesystem::path(JIKJI_SOURCE_DIR) / "models/jikji-mini-ko";

TEST(Output, AModelFolderServesTheTrainedWeights) {
  const ModelDescription base = *DescribeModel(kBase);
  auto model = *TrainableDecoder::Load(base.checkpoint, base.spec, {});
  TemporaryFolder folder;
  const auto place = folder.path() / "model";
  std::filesystem::create_directory(place.string() + ".old");  // somebody's own
  for (int round = 0; round < 2; ++round) {                    // the second takes the first's place
    model->parameters().value(0)[0] = 0.5f + static_cast<float>(round);
    ASSERT_TRUE(WriteModelFolder(place, kBase, model->parameters(), DType::kBF16));
    const auto written = LoadModel(place);
    ASSERT_TRUE(written) << written.error().ToString();
    EXPECT_NE(written->description.chat_template, nullptr);
    EXPECT_EQ(written->description.stop_ids, base.stop_ids);
    const TensorView& tensor =
        *written->description.checkpoint->Find(model->parameters().list()[0].name);
    EXPECT_EQ(tensor.dtype, DType::kBF16);
    EXPECT_EQ((*UnpackTensor(tensor))[0], 0.5f + static_cast<float>(round));
  }
  EXPECT_FALSE(std::filesystem::exists(place.string() + ".partial"));
  EXPECT_TRUE(std::filesystem::exists(place.string() + ".old"));
}

TEST(Output, AnAdapterFolderIsPeft) {
  const ModelDescription base = *DescribeModel(kBase);
  ModelOptions options;
  options.lora = LoraOptions{.rank = 4, .alpha = 8, .targets = {TensorRole::kQuery}};
  auto model = *TrainableDecoder::Load(base.checkpoint, base.spec, options);
  TemporaryFolder folder;
  const auto place = folder.path() / "adapter";
  ASSERT_TRUE(WriteAdapterFolder(place, kBase, model->parameters(), *options.lora));
  const auto config = *ParseJsonFile((place / "adapter_config.json").string());
  EXPECT_EQ(config.at("peft_type").as_string(), "LORA");
  EXPECT_EQ(config.at("r").as_int64(), 4);
  EXPECT_EQ(config.at("target_modules").as_array(), (boost::json::array{"q_proj"}));
  EXPECT_EQ(model->parameters().list()[0].name,
            "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
  // And is read back.
  const auto read = PeftAdapter::Open(place, base.spec);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->config.scale(), 2.0f);
  ASSERT_EQ(read->matrices.size(), base.spec.layers.size());
  EXPECT_TRUE(std::ranges::equal(*UnpackTensor(read->matrices[0].a), model->parameters().value(0)));
}

TEST(MemoryPlan, AnAdapterNeedsLessAndRecomputingLessAgain) {
  const ModelDescription base = *DescribeModel(kBase);
  const auto plan = [&](const ModelOptions& options) {
    return PlanMemory(base.checkpoint.get(), base.spec, options, 1024, 2);
  };
  ModelOptions lora, recompute;
  lora.lora = LoraOptions{};
  recompute.recompute = true;
  auto model = *TrainableDecoder::Load(base.checkpoint, base.spec, lora);
  EXPECT_EQ(plan(lora).trained_values, model->parameters().count());
  EXPECT_EQ(plan(lora).frozen_bytes, base.checkpoint->total_bytes());
  EXPECT_LT(plan(lora).trained_bytes, plan({}).trained_bytes / 4);
  EXPECT_LT(plan(recompute).activation_bytes, plan({}).activation_bytes);
}

}  // namespace
}  // namespace jikji::train
