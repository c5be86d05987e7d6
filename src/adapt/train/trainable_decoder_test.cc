#include "adapt/train/trainable_decoder.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstring>

#include "adapt/train/small_model.h"
#include "base/json.h"
#include "model/golden_models.h"
#include "model/spec_reader.h"

namespace jikji::train {
namespace {

std::vector<float> GradientsOf(TrainableDecoder& model, const Batch& batch, ThreadPool& pool) {
  std::ranges::fill(model.parameters().gradients(), 0.0f);
  model.AddGradients(batch, 0.1f, pool);
  return {model.parameters().gradients().begin(), model.parameters().gradients().end()};
}

double Distance(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0.0, difference = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(double{b[i]}));
    difference = std::max(difference, std::abs(double{a[i]} - b[i]));
  }
  return difference / largest;
}

TEST(TrainableDecoder, PackedIsUnpacked) {
  auto model = *TrainableDecoder::New(SmallSpec(), {});
  ThreadPool pool(2);
  Batch packed;
  double alone = 0.0;
  std::vector<float> sum(model->parameters().count());
  for (const size_t length : {30, 2, 171, 5, 1, 60}) {
    const Document document = SmallDocument(length, length);
    packed.Append(document);
    Batch single;
    single.Append(document);
    alone += model->Loss(single, pool);
    const std::vector<float> gradients = GradientsOf(*model, single, pool);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += gradients[i];
  }
  EXPECT_EQ(packed.documents.size(), 5u);  // of a document of one token nothing can be learnt
  const double together = model->Loss(packed, pool);
  EXPECT_NEAR(together, alone, 1e-6 * alone);
  EXPECT_LT(Distance(GradientsOf(*model, packed, pool), sum), 1e-5);
}

TEST(TrainableDecoder, HasTheSameBitsForAnyThreadsAndWhenItRecomputes) {
  ThreadPool one(1), three(3);
  Batch batch;
  batch.Append(SmallDocument(1, 130));
  batch.Append(SmallDocument(2, 33));
  auto model = *TrainableDecoder::New(SmallSpec(), {});
  ModelOptions options;
  options.recompute = true;
  auto recomputing = *TrainableDecoder::New(SmallSpec(), options);
  const std::vector<float> gradients = GradientsOf(*model, batch, one);
  EXPECT_EQ(gradients, GradientsOf(*model, batch, three));
  EXPECT_EQ(gradients, GradientsOf(*recomputing, batch, three));
}

// Frozen matrices in fewer bits: the loss and the adapters' gradients are those of a model whose
// matrices hold the rounded values.
TEST(TrainableDecoder, AnAdapterOnAQuantisedBaseSeesTheQuantisedWeights) {
  GoldenModel model = GoldenNamed("llama");
  FillWeights(model);
  TemporaryFolder plain, rounded;
  ASSERT_TRUE(WriteFolder(model, plain.path(), AllAs(DType::kF32)));
  for (GoldenTensor& tensor : model.tensors) {
    if (tensor.shape.size() != 2 || tensor.name.find("layers") == std::string::npos) continue;
    const std::vector<std::byte> bytes = PackValues(tensor.values, DType::kQ8_0);
    const TensorView view{tensor.name, DType::kQ8_0, tensor.shape, bytes};
    tensor.values = *UnpackTensor(view);
  }
  ASSERT_TRUE(WriteFolder(model, rounded.path(), AllAs(DType::kF32)));
  const DecoderSpec spec = *SpecFromConfig(ParseJson(model.config)->as_object(), "config.json");
  ModelOptions options;
  options.lora = LoraOptions{};
  auto exact = *TrainableDecoder::Load(*Checkpoint::Open(rounded.path()), spec, options);
  options.base_type = DType::kQ8_0;
  auto quantised = *TrainableDecoder::Load(*Checkpoint::Open(plain.path()), spec, options);
  Batch batch;
  batch.Append(SmallDocument(3, 40));
  ThreadPool pool(2);
  EXPECT_EQ(exact->Loss(batch, pool), quantised->Loss(batch, pool));
  EXPECT_EQ(GradientsOf(*exact, batch, pool), GradientsOf(*quantised, batch, pool));
}

// Training computes with exact products what serving computes with its own kernels.
TEST(TrainableDecoder, LosesWhatServingLoses) {
  GoldenModel golden = GoldenNamed("hyperclovax");
  FillWeights(golden);
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFolder(golden, folder.path(), AllAs(DType::kF32)));
  auto serving = *LoadDecoder(folder.path());
  auto training = *TrainableDecoder::Load(*Checkpoint::Open(folder.path()), serving->spec(), {});
  Document document{golden.prompt, std::vector<bool>(golden.prompt.size(), true)};
  Batch batch;
  batch.Append(document);
  std::vector<int32_t> rows(golden.prompt.size() - 1);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
  const std::vector<float> logits = Sequence(*serving, 64).Run(golden.prompt, rows);
  const auto vocab = static_cast<size_t>(serving->spec().vocab);
  double wanted = 0.0;
  for (size_t r = 0; r < rows.size(); ++r) {
    double sum = 0.0;
    for (size_t v = 0; v < vocab; ++v) sum += std::exp(double{logits[r * vocab + v]});
    wanted += std::log(sum) - logits[r * vocab + static_cast<size_t>(golden.prompt[r + 1])];
  }
  ThreadPool pool(2);
  EXPECT_NEAR(training->Loss(batch, pool), wanted, 1e-5 * wanted);
}

TEST(TrainableDecoder, SaysWhatIsWrongWithACheckpoint) {
  GoldenModel golden = GoldenNamed("llama");
  FillWeights(golden);
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFolder(golden, folder.path(), AllAs(DType::kF32)));
  DecoderSpec spec = *SpecFromConfig(ParseJson(golden.config)->as_object(), "config.json");
  spec.hidden *= 2;
  const auto wrong = TrainableDecoder::Load(*Checkpoint::Open(folder.path()), spec, {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("the configuration makes it"), std::string::npos);
  ModelOptions lora;
  lora.lora = LoraOptions{};
  EXPECT_FALSE(TrainableDecoder::New(SmallSpec(), lora));
}

}  // namespace
}  // namespace jikji::train
