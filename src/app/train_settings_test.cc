#include "app/train_settings.h"

#include <gtest/gtest.h>

namespace jikji {
namespace {

TEST(TrainSettings, AnEpochIsEveryRowOnce) {
  TrainSettings s;
  s.batch_tokens = 1000;
  s.accumulate = 2;
  s.epochs = 3;
  const train::TrainOptions options = s.Training(10'000);
  EXPECT_EQ(options.schedule.steps, 15);
  EXPECT_EQ(options.batch_rows, 1000);
  s.steps = 400;
  EXPECT_EQ(s.Training(10'000).schedule.steps, 400);
  EXPECT_EQ(s.Training(10'000).schedule.warmup, 12);
  s.steps = 0;
  EXPECT_EQ(s.Training(1).schedule.steps, 1);
}

TEST(TrainSettings, AnAdapterHasItsOwnDefaults) {
  TrainSettings s;
  const auto whole = s.Model();
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->lora);
  EXPECT_DOUBLE_EQ(s.Training(1).schedule.peak, 3e-4);
  s.lora_rank = 4;
  s.base_type = "Q4_0";
  const auto options = s.Model();
  ASSERT_TRUE(options && options->lora);
  EXPECT_DOUBLE_EQ(options->lora->alpha, 8);
  EXPECT_EQ(options->lora->targets.size(), 7u);
  EXPECT_EQ(options->base_type, DType::kQ4_0);
  EXPECT_DOUBLE_EQ(s.Training(1).schedule.peak, 1e-3);
  using Names = std::vector<std::string>;
  for (const Names& names : {Names{"q_proj", "v_proj"}, Names{"q_proj,v_proj"}}) {
    s.lora_targets = names;
    const auto two = s.Model();
    ASSERT_TRUE(two && two->lora);
    EXPECT_EQ(two->lora->targets,
              (std::vector<TensorRole>{TensorRole::kQuery, TensorRole::kValue}));
  }
}

TEST(TrainSettings, RefusesWhatCannotBe) {
  TrainSettings s;
  s.base_type = "Q4_0";  // without an adapter nothing is frozen
  EXPECT_FALSE(s.Model());
  s.lora_rank = 4;
  s.lora_targets = {"q_porj"};
  const auto refused = s.Model();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("q_porj"), std::string::npos);
  s.lora_targets = {","};
  EXPECT_FALSE(s.Model());
}

}  // namespace
}  // namespace jikji
