#include "tensor/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "tensor/file_writer.h"
#include "tensor/testing/bytes.h"

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

// Folders of two shards: `a` and `b` in the first, `c` in the second.
class ShardedFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "jikji-folder-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    Write("config.json", "{}");
    WriteShard("1.safetensors", {{"b", DType::kF32, {2, 3}}, {"a", DType::kBF16, {5}}});
    WriteShard("2.safetensors", {{"c", DType::kF16, {4}}});
    WriteIndex(R"("a":"1.safetensors","b":"1.safetensors","c":"2.safetensors")");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  void WriteShard(const std::string& name, const std::vector<TensorSpec>& specs) {
    std::vector<std::string> data;
    for (const TensorSpec& spec : specs) data.emplace_back(*spec.Bytes(), spec.name[0]);
    Write(name, testing::Fill(LayoutSafetensors({}, specs).value(), data));
  }
  void WriteIndex(const std::string& pairs) {
    Write("model.safetensors.index.json", R"({"metadata":{},"weight_map":{)" + pairs + "}}");
  }
  std::string Refusal() {
    const auto opened = Checkpoint::Open(folder_);
    return opened ? std::string() : opened.error().ToString();
  }

  std::filesystem::path folder_;
};

TEST_F(ShardedFolderTest, OpensAll) {
  const auto opened = Checkpoint::Open(folder_);
  ASSERT_TRUE(opened) << opened.error().ToString();
  const Checkpoint& checkpoint = **opened;
  ASSERT_EQ(checkpoint.tensors().size(), 3u);
  for (const char* name : {"a", "b", "c"}) {
    const TensorView* tensor = checkpoint.Find(name);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(static_cast<char>(tensor->data.back()), name[0]);
  }
  EXPECT_EQ(checkpoint.Find("b")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(checkpoint.total_bytes(), 24u + 10u + 8u);
  EXPECT_EQ(checkpoint.path(), folder_);
}

TEST_F(ShardedFolderTest, FilesMayBeLinks) {
  std::filesystem::create_directory(folder_ / "blobs");
  std::filesystem::rename(folder_ / "2.safetensors", folder_ / "blobs" / "5f5e");
  std::filesystem::create_symlink("blobs/5f5e", folder_ / "2.safetensors");
  EXPECT_EQ(Refusal(), "");
}

TEST_F(ShardedFolderTest, MissingTensorsAndFilesAreNamed) {
  WriteIndex(R"("a":"1.safetensors","b":"1.safetensors","c":"2.safetensors","d":"2.safetensors")");
  EXPECT_THAT(Refusal(), HasSubstr("2.safetensors: the index says that the tensor `d`"));
  WriteIndex(R"("a":"1.safetensors","c":"2.safetensors")");
  EXPECT_THAT(Refusal(), HasSubstr("1.safetensors: the file has the tensor `b`"));
  WriteIndex(R"("a":"1.safetensors","b":"2.safetensors","c":"2.safetensors")");
  EXPECT_THAT(Refusal(), HasSubstr("`b`"));
  WriteIndex(R"("a":"1.safetensors","b":"1.safetensors","c":"3.safetensors")");
  EXPECT_THAT(Refusal(), HasSubstr("3.safetensors: cannot open"));
}

TEST_F(ShardedFolderTest, PathsOutOfTheFolderAreRefused) {
  WriteIndex(R"("a":"../1.safetensors")");
  EXPECT_THAT(Refusal(), HasSubstr("plain name"));
}

TEST_F(ShardedFolderTest, BrokenShardsAreNamedWithTheByte) {
  Write("2.safetensors", "short");
  EXPECT_THAT(Refusal(), HasSubstr("2.safetensors:0: not safetensors"));
}

TEST_F(ShardedFolderTest, AnAdaptersFolderIsToldFromAModels) {
  std::filesystem::remove(folder_ / "config.json");
  EXPECT_THAT(Refusal(), ::testing::Not(HasSubstr("adapter")));
  Write("adapter_config.json", "{}");
  EXPECT_THAT(Refusal(), HasSubstr("jikji adapt merge"));
}

TEST_F(ShardedFolderTest, PickleIsPointedAtAndNotRead) {
  std::filesystem::remove(folder_ / "model.safetensors.index.json");
  EXPECT_THAT(Refusal(), HasSubstr("neither model.safetensors nor"));
  Write("pytorch_model.bin", "\x80\x02");
  EXPECT_THAT(Refusal(), HasSubstr("`pytorch_model.bin` may hold pickled code"));
}

TEST_F(ShardedFolderTest, PartsOfASplitGgufAreRefused) {
  GgufMetadata metadata;
  metadata.Insert("split.count", uint64_t{3});
  Write("part.gguf", testing::Fill(LayoutGguf(metadata, {}).value(), {}));
  const auto opened = Checkpoint::Open(folder_ / "part.gguf");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(opened.error().message, HasSubstr("one of 3 parts"));
}

}  // namespace
}  // namespace jikji
