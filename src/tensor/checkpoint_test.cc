#include "tensor/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jikji {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kSource = JIKJI_SOURCE_DIR;

TEST(CheckpointTest, OpensTheBuiltInModel) {
  auto opened = Checkpoint::Open(kSource / "models" / "jikji-mini-ko");
  ASSERT_TRUE(opened) << opened.error().ToString();
  const Checkpoint& checkpoint = **opened;
  EXPECT_EQ(checkpoint.format(), CheckpointFormat::kHuggingFace);
  ASSERT_FALSE(checkpoint.tensors().empty());
  const TensorView* norm = checkpoint.Find("model.norm.weight");
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(norm->shape.size(), 1u);
  EXPECT_EQ(checkpoint.Find("model.norm.weigh"), nullptr);
  EXPECT_TRUE(checkpoint.metadata().entries().empty());
}

TEST(CheckpointTest, OpensStories260K) {
  const auto path = kSource / "../shared/data/weights/stories260K/stories260K.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  auto opened = Checkpoint::Open(path);
  ASSERT_TRUE(opened) << opened.error().ToString();
  const Checkpoint& checkpoint = **opened;
  EXPECT_EQ(checkpoint.format(), CheckpointFormat::kGguf);
  EXPECT_EQ(checkpoint.tensors().size(), 48u);
  EXPECT_EQ(checkpoint.metadata().Int("llama.block_count").value(), 5);
  EXPECT_EQ(checkpoint.metadata().String("general.architecture").value(), "llama");
  const TensorView* embedding = checkpoint.Find("token_embd.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->shape, (std::vector<int64_t>{512, 64}));
}

TEST(CheckpointTest, OpensVocabulariesWithoutTensors) {
  const auto folder = kSource / "../shared/data/tokenizers/llama.cpp";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  const std::map<std::string, size_t> tokens = {
      {"bert-bge", 30522}, {"deepseek-llm", 102400}, {"falcon", 65024},
      {"gpt-2", 50257},    {"llama-spm", 32000},     {"phi-3", 32064},
  };
  for (const auto& [name, count] : tokens) {
    auto opened = Checkpoint::Open(folder / ("ggml-vocab-" + name + ".gguf"));
    ASSERT_TRUE(opened) << opened.error().ToString();
    EXPECT_TRUE((*opened)->tensors().empty());
    auto strings = (*opened)->metadata().Strings("tokenizer.ggml.tokens");
    ASSERT_TRUE(strings);
    ASSERT_NE(*strings, nullptr);
    EXPECT_EQ((*strings)->size(), count) << name;
  }
}

TEST(CheckpointTest, SaysWhatIsWrongWithAPath) {
  auto opened = Checkpoint::Open(kSource / "no-such-model");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);

  opened = Checkpoint::Open(kSource / "models/jikji-mini-ko/model.safetensors");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("give the folder"));

  opened = Checkpoint::Open(kSource / "models/jikji-mini-ko/config.json");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().ToString(), HasSubstr("config.json:0: not GGUF"));

  opened = Checkpoint::Open(kSource / "cmake");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("no config.json"));
}

}  // namespace
}  // namespace jikji
