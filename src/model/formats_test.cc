// The same weights in other clothes: GGUF, half precision, shards, quantised blocks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "model/families/family.h"
#include "model/golden_models.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

std::vector<float> LogitsOf(const fs::path& path, const GoldenModel& model) {
  auto decoder = LoadDecoder(path);
  EXPECT_TRUE(decoder) << decoder.error().ToString();
  if (!decoder) return {};
  return Sequence(**decoder, 32).Run(model.prompt, model.rows);
}

// Llama again, wide enough for blocks of 256 values.
GoldenModel WideLlama() {
  GoldenModel model = GoldenNamed("llama");
  model.name = "wide-llama";
  model.config =
      R"({"model_type":"llama","hidden_size":256,"intermediate_size":512,"num_hidden_layers":3,)"
      R"("num_attention_heads":4,"num_key_value_heads":2,"vocab_size":256,"rms_norm_eps":1e-5,)"
      R"("max_position_embeddings":128,"rope_theta":10000.0})";
  GgufMetadata keys;
  for (auto [key, value] : model.gguf.entries()) {
    if (key == "llama.embedding_length") value = int64_t{256};
    if (key == "llama.feed_forward_length") value = int64_t{512};
    if (key == "llama.rope.dimension_count") value = int64_t{64};
    keys.Insert(key, value);
  }
  model.gguf = keys;
  for (GoldenTensor& tensor : model.tensors) {
    // 64 stands for hidden size and query width, 32 for key width, 96 for the MLP's.
    const bool vocabulary = tensor.shape[0] == 256;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      int64_t& size = tensor.shape[i];
      if (vocabulary && i == 0) continue;
      size = size == 64 ? 256 : size == 32 ? 128 : 512;
    }
    if (tensor.shape.size() > 1 && !vocabulary) tensor.exponent -= 1;  // as rows are 4 times longer
  }
  FillWeights(model);
  return model;
}

std::vector<float> Rounded(const GoldenTensor& tensor, DType dtype) {
  const std::vector<std::byte> bytes = PackValues(tensor.values, dtype);
  return *UnpackTensor({tensor.name, dtype, tensor.shape, bytes});
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

TEST(FormatsTest, GgufGivesTheBitsOfSafetensors) {
  size_t compared = 0;
  for (const GoldenModel& model : GoldenModels()) {
    if (model.gguf.entries().empty()) continue;
    TemporaryFolder folder;
    const fs::path gguf = folder.path() / "model.gguf";
    ASSERT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
    const auto written = WriteGguf(model, gguf, AllAs(DType::kF32));
    ASSERT_TRUE(written) << written.error().ToString();
    const auto expected = LogitsOf(folder.path(), model);
    const auto logits = LogitsOf(gguf, model);
    if (model.rope_freqs.empty()) {
      EXPECT_EQ(logits, expected) << model.name;
    } else {
      // GGUF keeps Llama 3's scaling as divisors rounded to f32, not as its formula.
      EXPECT_LT(RelativeError(logits, expected), 1e-5) << model.name;
      auto decoder = LoadDecoder(gguf);
      ASSERT_TRUE(decoder);
      EXPECT_EQ(Sequence(**decoder, 96).Greedy(model.prompt, 64), model.greedy) << model.name;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 14u);
}

TEST(FormatsTest, ShardsGiveTheBitsOfOneFile) {
  const GoldenModel& model = GoldenNamed("exaone4-hybrid");
  TemporaryFolder one, three;
  ASSERT_TRUE(WriteFolder(model, one.path(), AllAs(DType::kF32)));
  ASSERT_TRUE(WriteFolder(model, three.path(), AllAs(DType::kF32), 3));
  EXPECT_EQ(LogitsOf(three.path(), model), LogitsOf(one.path(), model));
}

TEST(FormatsTest, HalfPrecisionIsNearAndTheSameInBothFormats) {
  const GoldenModel& model = GoldenNamed("qwen3");
  // Half a unit in the last place of 11 and of 8 bits, grown over the layers.
  for (const auto& [dtype, bound] : {std::pair(DType::kF16, 0.01), {DType::kBF16, 0.08}}) {
    TemporaryFolder folder;
    const fs::path gguf = folder.path() / "model.gguf";
    ASSERT_TRUE(WriteFolder(model, folder.path(), AllAs(dtype)));
    ASSERT_TRUE(WriteGguf(model, gguf, AllAs(dtype)));
    const auto logits = LogitsOf(folder.path(), model);
    const double error = RelativeError(logits, model.logits);
    std::printf("%-5s max relative error of logits %.1e\n", std::string(DTypeName(dtype)).c_str(),
                error);
    EXPECT_LT(error, bound);
    EXPECT_GT(error, 0);  // it was indeed rounded
    EXPECT_EQ(LogitsOf(gguf, model), logits);
  }
}

TEST(FormatsTest, QuantisedWeightsAreNear) {
  const GoldenModel model = WideLlama();
  TemporaryFolder folder;
  const fs::path exact_file = folder.path() / "f32.gguf";
  const auto written = WriteGguf(model, exact_file, AllAs(DType::kF32));
  ASSERT_TRUE(written) << written.error().ToString();
  const auto exact = LogitsOf(exact_file, model);
  ASSERT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
  EXPECT_EQ(LogitsOf(folder.path(), model), exact);
  for (const DType dtype : {DType::kQ8_0, DType::kQ6_K, DType::kQ5_K, DType::kQ4_K, DType::kQ4_0}) {
    const fs::path file = folder.path() / "quantised.gguf";
    ASSERT_TRUE(WriteGguf(model, file, MatricesAs(dtype)));
    const auto logits = LogitsOf(file, model);
    // The same rounded weights as F32: what is left is the rounding of activations to 8 bits, about
    // 0.6 % of each of some 20 products in a row.
    GoldenModel rounded = model;
    for (GoldenTensor& tensor : rounded.tensors) {
      if (tensor.shape.size() > 1) tensor.values = Rounded(tensor, dtype);
    }
    ASSERT_TRUE(WriteFolder(rounded, folder.path(), AllAs(DType::kF32)));
    const double to_rounded = Cosine(logits, LogitsOf(folder.path(), model));
    const double to_exact = Cosine(logits, exact);
    std::printf("%-5s cosine of logits with those of F32 %.5f, of the same weights as F32 %.5f\n",
                std::string(DTypeName(dtype)).c_str(), to_exact, to_rounded);
    EXPECT_GT(to_rounded, 0.999) << DTypeName(dtype);
    // Uniform weights are the worst that a block can hold; real ones come nearer.
    EXPECT_GT(to_exact, dtype == DType::kQ8_0 ? 0.999 : 0.9) << DTypeName(dtype);
    EXPECT_LT(to_exact, to_rounded + 1e-4) << DTypeName(dtype);
  }
}

TEST(FormatsTest, AHalfPrecisionCacheIsNear) {
  const GoldenModel& model = GoldenNamed("llama");
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
  auto decoder = LoadDecoder(folder.path());
  ASSERT_TRUE(decoder);
  const auto logits = Sequence(**decoder, 32, DType::kF16).Run(model.prompt, model.rows);
  const double error = RelativeError(logits, model.logits);
  EXPECT_LT(error, 0.01);
  EXPECT_GT(error, 0);
}

}  // namespace
}  // namespace jikji
