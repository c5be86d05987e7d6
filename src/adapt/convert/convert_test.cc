#include "adapt/convert/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "adapt/convert/gguf_keys.h"
#include "adapt/convert/llama3_rope.h"
#include "adapt/convert/same_tokens.h"
#include "base/file.h"
#include "base/json.h"
#include "model/golden_models.h"
#include "model/model.h"
#include "model/spec_reader.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Result<ConvertReport> ConvertModel(const fs::path& in, const fs::path& out,
                                   const ConvertOptions& options = {}) {
  ThreadPool pool(2);
  return Convert(in, out, options, pool);
}

std::vector<float> LogitsOf(const fs::path& path, const GoldenModel& model) {
  auto decoder = LoadDecoder(path);
  EXPECT_TRUE(decoder) << decoder.error().ToString();
  if (!decoder) return {};
  return Sequence(**decoder, 32).Run(model.prompt, model.rows);
}

// Every family, there and back: the logits of transformers' goldens, bit for bit the same in both.
TEST(ConvertTest, LogitsAreTheSameInBothFormats) {
  size_t compared = 0;
  for (const GoldenModel& model : GoldenModels()) {
    if (model.gguf.entries().empty()) continue;
    TemporaryFolder place;
    const fs::path first = place.path() / "first", gguf = place.path() / "m.gguf";
    const fs::path back = place.path() / "back";
    fs::create_directory(first);
    ASSERT_TRUE(WriteFolder(model, first, AllAs(DType::kF32)));
    const auto there = ConvertModel(first, gguf);
    ASSERT_TRUE(there) << model.name << ": " << there.error().ToString();
    EXPECT_FALSE(there->has_tokenizer);
    const auto again = ConvertModel(gguf, back);
    ASSERT_TRUE(again) << model.name << ": " << again.error().ToString();
    const auto expected = LogitsOf(first, model);
    if (model.rope_freqs.empty()) {
      EXPECT_EQ(LogitsOf(gguf, model), expected) << model.name;
    } else {
      // GGUF keeps the divisors of Llama 3's scaling, rounded to f32.
      EXPECT_LT(RelativeError(LogitsOf(gguf, model), expected), 1e-5) << model.name;
    }
    EXPECT_EQ(LogitsOf(back, model), expected) << model.name;
    const auto one = Checkpoint::Open(first), two = Checkpoint::Open(back);
    ASSERT_TRUE(one && two);
    ASSERT_EQ((*one)->tensors().size(), (*two)->tensors().size()) << model.name;
    for (size_t i = 0; i < (*one)->tensors().size(); ++i) {
      const TensorView& a = (*one)->tensors()[i];
      const TensorView& b = (*two)->tensors()[i];
      EXPECT_EQ(a.name, b.name);
      EXPECT_EQ(a.shape, b.shape) << a.name;
      EXPECT_EQ(a.dtype, b.dtype) << a.name;
      EXPECT_TRUE(std::ranges::equal(a.data, b.data)) << model.name << " " << a.name;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 14u);
}

// Our keys are those that gguf-py wrote for the same model.
TEST(ConvertTest, KeysAreLlamaCpps) {
  for (const GoldenModel& model : GoldenModels()) {
    if (model.gguf.entries().empty()) continue;
    const auto config = ParseJson(model.config);
    const auto spec = SpecFromConfig(config->as_object(), "config.json");
    ASSERT_TRUE(spec);
    const auto keys = GgufKeysOf(*spec, "x");
    ASSERT_TRUE(keys) << keys.error().ToString();
    for (const auto& [key, value] : model.gguf.entries()) {
      ASSERT_NE(keys->Find(key), nullptr) << model.name << " " << key;
      const auto number = [&](const GgufMetadata& in) { return in.Number(key); };
      if (const auto wanted = number(model.gguf)) {
        EXPECT_FLOAT_EQ(static_cast<float>(**number(*keys)), static_cast<float>(**wanted)) << key;
      } else {
        EXPECT_EQ(*keys->Find(key), value) << model.name << " " << key;
      }
    }
    if (!model.rope_freqs.empty()) {
      const auto divisors = Llama3Divisors(spec->rope, spec->head_dim);
      ASSERT_EQ(divisors.size(), model.rope_freqs.size());
      for (size_t i = 0; i < divisors.size(); ++i) {
        EXPECT_NEAR(divisors[i], model.rope_freqs[i], 1e-6 * model.rope_freqs[i]);
      }
    }
  }
}

TEST(ConvertTest, AFamilyWithoutGgufIsNamed) {
  TemporaryFolder place;
  ASSERT_TRUE(WriteFolder(GoldenNamed("hyperclovax"), place.path(), AllAs(DType::kF32)));
  const auto made = ConvertModel(place.path(), place.path() / "m.gguf");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(made.error().message, HasSubstr("no architecture for the family `hyperclovax`"));
}

TEST(ConvertTest, HalfPrecisionKeepsItsBits) {
  for (const DType type : {DType::kF16, DType::kBF16}) {
    const GoldenModel& model = GoldenNamed("llama-bias");
    TemporaryFolder place;
    const fs::path first = place.path() / "first";
    fs::create_directory(first);
    ASSERT_TRUE(WriteFolder(model, first, AllAs(type), 3));
    ASSERT_TRUE(ConvertModel(first, place.path() / "m.gguf"));
    ASSERT_TRUE(ConvertModel(place.path() / "m.gguf", place.path() / "back",
                             {.type = std::nullopt, .shard_bytes = 20'000}));
    EXPECT_TRUE(fs::exists(place.path() / "back" / "model.safetensors.index.json"));
    const auto one = *Checkpoint::Open(first);
    const auto two = Checkpoint::Open(place.path() / "back");
    ASSERT_TRUE(two) << two.error().ToString();
    ASSERT_EQ(one->tensors().size(), (*two)->tensors().size());
    for (const TensorView& tensor : one->tensors()) {
      const TensorView* same = (*two)->Find(tensor.name);
      ASSERT_NE(same, nullptr) << tensor.name;
      EXPECT_EQ(tensor.dtype, same->dtype) << tensor.name;
      EXPECT_TRUE(std::ranges::equal(tensor.data, same->data)) << tensor.name;
    }
  }
}

// The built-in model: its tokenizer, template and stop tokens go both ways.
TEST(ConvertTest, TokenizerAndTemplateAreCarried) {
  const fs::path folder = fs::path(JIKJI_SOURCE_DIR) / "models" / "jikji-mini-ko";
  TemporaryFolder place;
  const fs::path gguf = place.path() / "mini.gguf", back = place.path() / "back";
  const auto there = ConvertModel(folder, gguf);
  ASSERT_TRUE(there) << there.error().ToString();
  EXPECT_TRUE(there->has_tokenizer);
  const auto again = ConvertModel(gguf, back);
  ASSERT_TRUE(again) << again.error().ToString();
  const auto first = DescribeModel(folder);
  ASSERT_TRUE(first);
  for (const fs::path& path : {gguf, back}) {
    const auto model = DescribeModel(path);
    ASSERT_TRUE(model) << model.error().ToString();
    EXPECT_EQ(model->template_source, first->template_source);
    EXPECT_EQ(model->stop_ids, first->stop_ids);
    EXPECT_EQ(model->bos_token, first->bos_token);
    EXPECT_EQ(model->eos_token, first->eos_token);
    EXPECT_TRUE(ExpectSameTokens(*first->tokenizer, *model->tokenizer));
  }
}

TEST(ConvertTest, QuantisedToAFolderNeedsAType) {
  const GoldenModel& model = GoldenNamed("llama");
  TemporaryFolder place;
  const fs::path gguf = place.path() / "m.gguf";
  ASSERT_TRUE(WriteGguf(model, gguf, MatricesAs(DType::kQ8_0)));
  const auto refused = ConvertModel(gguf, place.path() / "out");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--type F32, F16 or BF16"));
  ASSERT_TRUE(
      ConvertModel(gguf, place.path() / "out", {.type = DType::kF32, .shard_bytes = 1 << 20}));
  EXPECT_LT(RelativeError(LogitsOf(place.path() / "out", model), LogitsOf(gguf, model)), 0.05);
}

TEST(ConvertTest, WhatIsThereIsNotOverwritten) {
  const GoldenModel& model = GoldenNamed("llama");
  TemporaryFolder place;
  const fs::path gguf = place.path() / "m.gguf", out = place.path() / "out";
  ASSERT_TRUE(WriteGguf(model, gguf, AllAs(DType::kF32)));
  fs::create_directory(out);
  ASSERT_TRUE(WriteFileAtomic(out / "mine.txt", "x"));
  const auto refused = ConvertModel(gguf, out);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("not an empty folder"));
  fs::remove(out / "mine.txt");
  EXPECT_TRUE(ConvertModel(gguf, out));
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(place.path()), fs::directory_iterator()), 2);
  EXPECT_FALSE(ConvertModel(gguf, place.path() / "other.gguf"));
}

}  // namespace
}  // namespace jikji
