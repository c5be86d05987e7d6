#include "adapt/merge/merge_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "adapt/tokenizer/byte_tokenizer.h"
#include "model/golden_models.h"
#include "model/test_adapters.h"
#include "tensor/checkpoint.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class MergeAdapterTest : public ::testing::Test {
 protected:
  void Prepare(std::string_view model, DType dtype, const TestAdapter& adapter) {
    model_ = &GoldenNamed(model);
    fs::remove_all(place_.path() / "base");
    fs::create_directory(place_.path() / "base");
    ASSERT_TRUE(WriteFolder(*model_, place_.path() / "base", AllAs(dtype), 2));
    base_ = *LoadDecoder(place_.path() / "base");
    ASSERT_TRUE(WriteTestAdapter(adapter, base_->spec(), place_.path() / "adapter"));
  }
  Result<int64_t> Merge(std::optional<DType> dtype = {}) {
    fs::remove_all(place_.path() / "out");
    ThreadPool pool(2);
    return MergeAdapter(place_.path() / "adapter", place_.path() / "base", place_.path() / "out",
                        dtype, pool);
  }
  // Of the prompt's last token, by the base with its adapter.
  std::vector<float> Adapted() {
    const auto number =
        base_->AddAdapter(*PeftAdapter::Open(place_.path() / "adapter", base_->spec()));
    constexpr int32_t kPages = 4;
    KvCache cache = *KvCache::Create(base_->spec(), kPages, 16, DType::kF32);
    const std::vector<int32_t> pages = {0, 1, 2, 3};
    const auto count = static_cast<int32_t>(model_->prompt.size());
    const kernels::AttentionSlice slice = {0, count, 0, pages};
    const int32_t last = count - 1;
    std::vector<float> logits(static_cast<size_t>(base_->logit_stride()));
    ThreadPool pool(1);
    base_->Forward(
        {model_->prompt, std::span(&slice, 1), std::span(&last, 1), std::span(&*number, 1)}, cache,
        logits, pool);
    return logits;
  }
  std::vector<float> LogitsOf(const fs::path& folder) {
    const auto decoder = *LoadDecoder(folder);
    const int32_t last = static_cast<int32_t>(model_->prompt.size()) - 1;
    return Sequence(*decoder, 64).Run(model_->prompt, std::span(&last, 1));
  }

  TemporaryFolder place_;
  const GoldenModel* model_ = nullptr;
  std::unique_ptr<Decoder> base_;
};

TEST_F(MergeAdapterTest, TheMergedModelHasTheLogitsOfBaseAndAdapter) {
  for (const char* name : {"llama-bias", "qwen3", "exaone4-hybrid", "hyperclovax"}) {
    for (const bool dora : {false, true}) {
      SCOPED_TRACE(std::string(name) + (dora ? " with DoRA" : " with LoRA"));
      Prepare(name, DType::kF32, {.seed = "m", .dora = dora});
      const auto merged = Merge();
      ASSERT_TRUE(merged) << merged.error().ToString();
      EXPECT_EQ(*merged, static_cast<int64_t>(7 * base_->spec().layers.size()));
      const auto logits = LogitsOf(place_.path() / "out");
      EXPECT_LT(RelativeError(logits, Adapted()), 1e-5);
      EXPECT_GT(RelativeError(logits, LogitsOf(place_.path() / "base")), 1e-2);
    }
  }
}

TEST_F(MergeAdapterTest, AnEmbeddingAndAHeadOfItsOwnTakeTheBasesPlaces) {
  Prepare("llama", DType::kF32, {.seed = "m", .vocab = 261});
  ASSERT_TRUE(WriteFileAtomic(place_.path() / "adapter/tokenizer.json", ByteTokenizer()));
  ASSERT_TRUE(Merge());
  const auto logits = LogitsOf(place_.path() / "out");
  EXPECT_EQ(logits.size(), 261u);
  EXPECT_LT(RelativeError(logits, Adapted()), 1e-5);
  EXPECT_TRUE(fs::exists(place_.path() / "out/tokenizer.json"));
  // One matrix is both in the base: it cannot become two.
  Prepare("qwen3", DType::kF32, {.seed = "m", .vocab = 261});
  const auto refused = Merge();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("has one for both"));
}

TEST_F(MergeAdapterTest, WhatCouldNotBeLoadedIsNotMade) {
  const auto refusal = [&](const char* name, std::string_view text) {
    Prepare("llama", DType::kF32, {.seed = "m"});
    EXPECT_TRUE(WriteFileAtomic(place_.path() / "base/tokenizer.json", ByteTokenizer()));
    fs::remove(place_.path() / "adapter/chat_template.jinja");
    EXPECT_TRUE(WriteFileAtomic(place_.path() / "adapter/tokenizer.json", ByteTokenizer()));
    EXPECT_TRUE(WriteFileAtomic(place_.path() / "adapter" / name, text));
    const auto merged = Merge();
    EXPECT_EQ(fs::exists(place_.path() / "out"), merged.has_value());
    return merged ? std::string() : merged.error().ToString();
  };
  EXPECT_EQ(refusal("tokenizer.json", ByteTokenizer()), "");
  EXPECT_THAT(refusal("tokenizer.json", R"({"model":{}})"), HasSubstr("tokenizer.json"));
  EXPECT_THAT(refusal("chat_template.jinja", "{% for %}"), HasSubstr("cannot be loaded"));
  std::string other = ByteTokenizer();  // `a` and `b` change places
  const auto a = other.find(R"("a":97)"), b = other.find(R"("b":98)");
  ASSERT_NE(a, other.npos);
  std::swap(other[a + 1], other[b + 1]);
  EXPECT_THAT(refusal("tokenizer.json", other), HasSubstr("token 97 is another"));
}

TEST_F(MergeAdapterTest, WhatIsNotAdaptedKeepsItsBits) {
  Prepare("qwen3", DType::kBF16, {.seed = "m", .targets = {TensorRole::kDown}});
  ASSERT_TRUE(Merge());
  const auto base = *Checkpoint::Open(place_.path() / "base");
  const auto out = *Checkpoint::Open(place_.path() / "out");
  ASSERT_EQ(base->tensors().size(), out->tensors().size());
  for (const TensorView& tensor : out->tensors()) {
    const TensorView& was = *base->Find(tensor.name);
    EXPECT_EQ(tensor.dtype, DType::kBF16);
    const bool same = std::ranges::equal(tensor.data, was.data);
    EXPECT_EQ(same, !tensor.name.contains("down_proj")) << tensor.name;
  }
  ASSERT_TRUE(Merge(DType::kF32));
  EXPECT_EQ((*Checkpoint::Open(place_.path() / "out"))->Find("model.embed_tokens.weight")->dtype,
            DType::kF32);
}

TEST_F(MergeAdapterTest, OfAnotherModelOrAGgufFileItIsRefusedAndNothingIsLeft) {
  Prepare("llama", DType::kF32, {.seed = "m"});
  ASSERT_TRUE(WriteTestAdapter({.seed = "m"}, (*LoadDecoder(place_.path() / "base"))->spec(),
                               place_.path() / "adapter"));
  fs::remove_all(place_.path() / "base");
  fs::create_directory(place_.path() / "base");
  ASSERT_TRUE(WriteFolder(GoldenNamed("qwen3"), place_.path() / "base", AllAs(DType::kF32)));
  EXPECT_FALSE(Merge());
  EXPECT_FALSE(fs::exists(place_.path() / "out"));
  const auto gguf = place_.path() / "m.gguf";
  ASSERT_TRUE(WriteGguf(GoldenNamed("llama"), gguf, AllAs(DType::kF32)));
  ThreadPool pool(1);
  const auto refused =
      MergeAdapter(place_.path() / "adapter", gguf, place_.path() / "out", {}, pool);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("jikji adapt convert"));
}

}  // namespace
}  // namespace jikji
