// Stages of a vocabulary's extension: what is frozen keeps its bits, and what is trained has the
// gradient it has when all is.
#include <gtest/gtest.h>

#include <algorithm>

#include "adapt/train/memory_plan.h"
#include "adapt/train/output.h"
#include "adapt/train/small_model.h"
#include "adapt/train/trainable_decoder.h"
#include "adapt/train/trainer.h"
#include "model/golden_models.h"
#include "model/spec_reader.h"

namespace jikji::train {
namespace {

constexpr int64_t kOld = 200;  // of 256 tokens

struct OnDisk {
  explicit OnDisk(const std::string& name) {
    const GoldenModel& model = GoldenNamed(name);
    EXPECT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kBF16)));
    checkpoint = *Checkpoint::Open(folder.path());
    spec = (*LoadDecoder(folder.path()))->spec();
  }
  std::unique_ptr<TrainableDecoder> Load(Stage stage) const {
    ModelOptions options;
    options.stage = stage;
    options.old_vocab = kOld;
    return std::move(*TrainableDecoder::Load(checkpoint, spec, options));
  }
  TemporaryFolder folder;
  std::shared_ptr<const Checkpoint> checkpoint;
  DecoderSpec spec;
};

Batch SomeBatch() {
  Document document;
  for (int32_t i = 0; i < 40; ++i) {
    document.tokens.push_back((i * 37 + 11) % 256);
    document.trained.push_back(true);
  }
  Batch batch;
  batch.Append(document);
  return batch;
}

TEST(Stage, GradientsAreThoseOfTheWholeModelsRows) {
  ThreadPool pool(2);
  for (const char* name : {"llama", "qwen3"}) {  // an untied head and a tied one
    const OnDisk disk(name);
    const auto whole = disk.Load(Stage::kAll);
    const double loss = whole->AddGradients(SomeBatch(), 0.1f, pool);
    for (const Stage stage : {Stage::kNewRows, Stage::kHead}) {
      SCOPED_TRACE(std::string(name) + (stage == Stage::kHead ? " head" : " new rows"));
      const auto part = disk.Load(stage);
      EXPECT_NEAR(part->AddGradients(SomeBatch(), 0.1f, pool), loss, 1e-9 * loss);
      ModelOptions options;
      options.stage = stage;
      options.old_vocab = kOld;
      EXPECT_EQ(PlanMemory(disk.checkpoint.get(), disk.spec, options, 64, 2).trained_values,
                part->parameters().count());
      ASSERT_EQ(part->parameters().list().size(), disk.spec.tied_head ? 1u : 2u);
      for (size_t i = 0; i < part->parameters().list().size(); ++i) {
        const Parameter& p = part->parameters().list()[i];
        const bool is_head = p.name.starts_with("lm_head") || disk.spec.tied_head;
        EXPECT_EQ(p.shape[0], stage == Stage::kHead && is_head ? 256 : 256 - kOld);
        const auto all = std::ranges::find(whole->parameters().list(), p.name, &Parameter::name);
        ASSERT_NE(all, whole->parameters().list().end());
        const auto number = static_cast<size_t>(all - whole->parameters().list().begin());
        const auto wanted = whole->parameters().gradient(number).last(p.count);
        const auto got = part->parameters().gradient(i);
        double largest = 0;
        for (const float g : wanted) largest = std::max(largest, std::abs(double{g}));
        EXPECT_GT(largest, 0);
        for (size_t k = 0; k < p.count; ++k) ASSERT_NEAR(got[k], wanted[k], 1e-5 * largest);
      }
    }
  }
}

TEST(Stage, WhatIsFrozenKeepsItsBitsInTheModelThatIsWritten) {
  ThreadPool pool(1);
  for (const Stage stage : {Stage::kNewRows, Stage::kHead}) {
    const OnDisk disk("llama");
    const auto model = disk.Load(stage);
    for (size_t i = 0; i < model->parameters().list().size(); ++i) {
      for (float& value : model->parameters().value(i)) value += 0.25f;
    }
    const auto place = disk.folder.path() / "out";
    ASSERT_TRUE(WriteModelFolder(place, disk.folder.path(), model->parameters(), DType::kBF16,
                                 model->checkpoint().get()));
    const auto written = *Checkpoint::Open(place);
    ASSERT_EQ(written->tensors().size(), disk.checkpoint->tensors().size());
    for (const TensorView& tensor : written->tensors()) {
      const TensorView& was = *disk.checkpoint->Find(tensor.name);
      const bool head = tensor.name.starts_with("lm_head");
      const bool vocabulary = head || tensor.name.contains("embed_tokens");
      const size_t row = tensor.data.size() / static_cast<size_t>(tensor.shape[0]);
      const auto kept = !vocabulary                     ? tensor.data.size()
                        : head && stage == Stage::kHead ? 0
                                                        : row * static_cast<size_t>(kOld);
      EXPECT_TRUE(std::ranges::equal(tensor.data.first(kept), was.data.first(kept))) << tensor.name;
      if (vocabulary) {
        EXPECT_FALSE(std::ranges::equal(tensor.data.last(row), was.data.last(row))) << tensor.name;
      }
    }
  }
}

TEST(Stage, WithoutNewRowsThereIsNothingToTrain) {
  const OnDisk disk("llama");
  ModelOptions options;
  options.stage = Stage::kNewRows;
  options.old_vocab = 256;
  EXPECT_FALSE(TrainableDecoder::Load(disk.checkpoint, disk.spec, options));
}

}  // namespace
}  // namespace jikji::train
