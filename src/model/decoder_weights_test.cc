// Files whose tensors are not what their configuration says.
#include "model/decoder_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/golden_models.h"

namespace jikji {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The error of loading `model`, written as it is.
Error ErrorOf(const GoldenModel& model) {
  TemporaryFolder folder;
  const auto written = WriteFolder(model, folder.path(), AllAs(DType::kF32));
  EXPECT_TRUE(written) << written.error().ToString();
  const auto decoder = LoadDecoder(folder.path());
  EXPECT_FALSE(decoder);
  if (decoder) return {};
  EXPECT_EQ(decoder.error().where, folder.path().string());
  return decoder.error();
}

GoldenTensor& Tensor(GoldenModel& model, std::string_view name) {
  for (GoldenTensor& tensor : model.tensors) {
    if (tensor.name == name) return tensor;
  }
  ADD_FAILURE() << name;
  return model.tensors.front();
}

TEST(DecoderWeightsTest, EveryTensorIsMissed) {
  for (const char* name : {"llama-bias", "exaone4-hybrid", "hyperclovax"}) {
    const GoldenModel& whole = GoldenNamed(name);
    for (size_t i = 0; i < whole.tensors.size(); ++i) {
      GoldenModel model = whole;
      model.tensors.erase(model.tensors.begin() + static_cast<ptrdiff_t>(i));
      const Error error = ErrorOf(model);
      EXPECT_EQ(error.code, ErrorCode::kMalformed);
      EXPECT_THAT(error.message, HasSubstr("no tensor `" + whole.tensors[i].name + "`"));
    }
  }
}

TEST(DecoderWeightsTest, EveryShapeIsChecked) {
  const GoldenModel& whole = GoldenNamed("llama-bias");
  for (size_t i = 0; i < whole.tensors.size(); ++i) {
    GoldenModel model = whole;
    GoldenTensor& tensor = model.tensors[i];
    tensor.shape[0] += 2;
    FillWeights(model);
    const Error error = ErrorOf(model);
    EXPECT_EQ(error.code, ErrorCode::kMalformed);
    EXPECT_THAT(error.message, AllOf(HasSubstr("`" + tensor.name + "` is ["),
                                     HasSubstr("the configuration makes it [")));
  }
}

TEST(DecoderWeightsTest, AMatrixAsAVectorIsRefused) {
  GoldenModel model = GoldenNamed("llama");
  GoldenTensor& query = Tensor(model, "model.layers.1.self_attn.q_proj.weight");
  query.shape = {64 * 64};
  EXPECT_THAT(ErrorOf(model).message, HasSubstr("is [4096]; the configuration makes it [64, 64]"));
}

TEST(DecoderWeightsTest, AWeightWithoutAPlaceIsRefused) {
  // Biases that the configuration does not mention would be left out of the sum.
  GoldenModel model = GoldenNamed("llama-bias");
  model.config = GoldenNamed("llama").config;
  const Error error = ErrorOf(model);
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr(".bias` has no place in a llama model")));
}

TEST(DecoderWeightsTest, ComputedTablesAndATiedHeadAreIgnored) {
  GoldenModel model = GoldenNamed("llama-tied");
  const auto add = [&](const char* name, std::vector<int64_t> shape) {
    GoldenTensor tensor;
    tensor.name = name;
    tensor.shape = std::move(shape);
    model.tensors.push_back(tensor);
  };
  add("lm_head.weight", {256, 64});
  add("model.layers.0.self_attn.rotary_emb.inv_freq", {8});
  FillWeights(model);
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
  auto decoder = LoadDecoder(folder.path());
  ASSERT_TRUE(decoder) << decoder.error().ToString();
  EXPECT_EQ(Sequence(**decoder, 96).Greedy(model.prompt, 64), model.greedy);
}

TEST(DecoderWeightsTest, RopeFactorsAreChecked) {
  GoldenModel model = GoldenNamed("llama-llama3");
  const auto error = [&] {
    TemporaryFolder folder;
    const auto path = folder.path() / "model.gguf";
    EXPECT_TRUE(WriteGguf(model, path, AllAs(DType::kF32)));
    const auto decoder = LoadDecoder(path);
    return decoder ? std::string() : decoder.error().message;
  };
  EXPECT_EQ(error(), "");
  model.rope_freqs[3] = 0;
  EXPECT_THAT(error(), HasSubstr("`rope_freqs.weight` holds 0"));
  model.rope_freqs.pop_back();
  EXPECT_THAT(error(), HasSubstr("`rope_freqs.weight` has 15 values for heads of 32"));
}

}  // namespace
}  // namespace jikji
