#include "adapt/quantise/quantise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <random>

#include "adapt/weights/weight_plan.h"
#include "base/file.h"
#include "tensor/checkpoint.h"
#include "tensor/file_writer.h"
#include "tensor/gguf.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Made {
  TensorSpec spec;
  std::vector<float> values;
};

class QuantiseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "jikji-quantise-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Add(std::string name, std::vector<int64_t> shape, DType dtype = DType::kF32) {
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    std::vector<float> values(static_cast<size_t>(count));
    std::normal_distribution<float> normal;
    for (float& value : values) value = normal(random_);
    tensors_.push_back({{std::move(name), dtype, std::move(shape)}, std::move(values)});
  }

  fs::path Write(const std::string& name) {
    GgufMetadata keys;
    keys.Insert("general.architecture", std::string("llama"));
    keys.Insert("general.file_type", uint64_t{0});
    keys.Insert("llama.block_count", uint64_t{1});
    std::vector<TensorSpec> specs;
    for (const Made& tensor : tensors_) specs.push_back(tensor.spec);
    auto writer = TensorFileWriter::Create(folder_ / name, *LayoutGguf(keys, specs));
    EXPECT_TRUE(writer);
    for (size_t i = 0; i < tensors_.size(); ++i) {
      std::vector<std::byte> bytes(*specs[i].Bytes());
      EXPECT_TRUE(PackInto(tensors_[i].values, specs[i].dtype, bytes));
      EXPECT_TRUE(writer->Append(i, bytes));
    }
    EXPECT_TRUE(writer->Finish());
    return folder_ / name;
  }

  Result<QuantiseReport> Run(const fs::path& in, const QuantiseOptions& options,
                             size_t threads = 2) {
    ThreadPool pool(threads);
    return Quantise(in, folder_ / "out.gguf", options, pool);
  }

  size_t FilesInFolder() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
  std::mt19937 random_{5};
  std::vector<Made> tensors_;
};

TEST_F(QuantiseTest, GivesEachTensorItsType) {
  Add("token_embd.weight", {300, 256});
  Add("output.weight", {300, 256}, DType::kBF16);
  Add("output_norm.weight", {256});
  Add("blk.0.attn_q.weight", {256, 256}, DType::kF16);
  Add("blk.0.attn_q.bias", {256});
  Add("blk.0.ffn_down.weight", {256, 96});  // no multiple of 256
  Add("blk.0.ffn_up.weight", {96, 40});     // nor of 32
  const fs::path in = Write("in.gguf");
  const auto report = Run(in, {.type = DType::kQ4_K});
  ASSERT_TRUE(report) << report.error().ToString();
  const auto made = Checkpoint::Open(folder_ / "out.gguf");
  ASSERT_TRUE(made) << made.error().ToString();
  const auto type = [&](std::string_view name) { return (*made)->Find(name)->dtype; };
  EXPECT_EQ(type("token_embd.weight"), DType::kQ4_K);
  EXPECT_EQ(type("output.weight"), DType::kQ6_K);
  EXPECT_EQ(type("output_norm.weight"), DType::kF32);
  EXPECT_EQ(type("blk.0.attn_q.weight"), DType::kQ4_K);
  EXPECT_EQ(type("blk.0.attn_q.bias"), DType::kF32);
  EXPECT_EQ(type("blk.0.ffn_down.weight"), DType::kQ8_0);
  EXPECT_EQ(type("blk.0.ffn_up.weight"), DType::kF16);
  EXPECT_EQ((*made)->metadata().Int("general.file_type").value(), 14);
  EXPECT_EQ((*made)->metadata().Int("llama.block_count").value(), 1);
  EXPECT_EQ(report->types.at(DType::kQ4_K).tensors, 2);
  EXPECT_EQ(report->bytes_out, (*made)->total_bytes());
  for (const Made& tensor : tensors_) {
    const auto values = UnpackTensor(*(*made)->Find(tensor.spec.name));
    ASSERT_TRUE(values);
    double error = 0, size = 0;
    for (size_t i = 0; i < values->size(); ++i) {
      error += std::pow((*values)[i] - tensor.values[i], 2);
      size += std::pow(tensor.values[i], 2);
    }
    EXPECT_LT(std::sqrt(error / size), 0.09) << tensor.spec.name;
  }
}

TEST_F(QuantiseTest, PureAndTiedHeads) {
  Add("token_embd.weight", {64, 256});
  const fs::path in = Write("in.gguf");
  ASSERT_TRUE(Run(in, {.type = DType::kQ5_K}));
  EXPECT_EQ((*Checkpoint::Open(folder_ / "out.gguf"))->tensors()[0].dtype, DType::kQ6_K);
  ASSERT_TRUE(Run(in, {.type = DType::kQ5_K, .pure = true}));
  EXPECT_EQ((*Checkpoint::Open(folder_ / "out.gguf"))->tensors()[0].dtype, DType::kQ5_K);
  ASSERT_TRUE(Run(in, {.type = DType::kQ8_0}));
  EXPECT_EQ((*Checkpoint::Open(folder_ / "out.gguf"))->tensors()[0].dtype, DType::kQ8_0);
}

TEST_F(QuantiseTest, ThreadsAndChunksDoNotShow) {
  Add("token_embd.weight", {5000, 512});  // more than one chunk
  const fs::path in = Write("in.gguf");
  ASSERT_TRUE(Run(in, {.type = DType::kQ4_K}, 1));
  const std::string one = *ReadFile(folder_ / "out.gguf");
  ASSERT_TRUE(Run(in, {.type = DType::kQ4_K}, 3));
  EXPECT_EQ(*ReadFile(folder_ / "out.gguf"), one);
}

TEST_F(QuantiseTest, QuantisesTwiceOnlyWhereAsked) {
  Add("token_embd.weight", {64, 256}, DType::kQ8_0);
  const fs::path in = Write("in.gguf");
  const auto refused = Run(in, {.type = DType::kQ4_0, .pure = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("`token_embd.weight` is Q8_0 already"));
  EXPECT_TRUE(Run(in, {.type = DType::kQ8_0}));  // stays as it is
  EXPECT_TRUE(Run(in, {.type = DType::kQ4_0, .pure = true, .requantise = true}));
}

TEST_F(QuantiseTest, ValuesThatAreNotFiniteAreNamed) {
  Add("blk.0.attn_q.weight", {40, 256});
  tensors_[0].values[256 * 7 + 3] = NAN;
  const auto made = Run(Write("in.gguf"), {.type = DType::kQ4_K});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().where, "blk.0.attn_q.weight");
  EXPECT_THAT(made.error().message, HasSubstr("row 7: value 3 is not finite"));
  EXPECT_EQ(FilesInFolder(), 1u);
}

TEST_F(QuantiseTest, OntoItselfOrAFolderItIsRefusedAndNothingIsLost) {
  Add("blk.0.attn_q.weight", {8, 256});
  const fs::path in = Write("out.gguf");
  const std::string before = *ReadFile(in);
  fs::create_symlink(in, folder_ / "link.gguf");
  for (const fs::path& from : {in, folder_ / "link.gguf"}) {
    const auto refused = Run(from, {.type = DType::kQ4_0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(*ReadFile(in), before);
  }
  fs::rename(in, folder_ / "in.gguf");
  fs::create_directory(folder_ / "out.gguf");
  EXPECT_THAT(Run(folder_ / "in.gguf", {.type = DType::kQ4_0}).error().message,
              testing::HasSubstr("is a folder"));
}

// Killed at any point, the old file stays whole under its name.
TEST_F(QuantiseTest, KilledItLeavesTheOldFile) {
  Add("token_embd.weight", {2000, 256});
  Add("blk.0.attn_q.weight", {2000, 256});
  const fs::path in = Write("in.gguf");
  ASSERT_TRUE(Run(in, {.type = DType::kQ4_0}));
  const std::string old = *ReadFile(folder_ / "out.gguf");
  for (const double at : {0.0, 0.3, 0.6, 1.0}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ThreadPool pool(1);
      const auto done =
          Quantise(in, folder_ / "out.gguf", {.type = DType::kQ8_0}, pool, [&](double share) {
            if (share >= at) std::raise(SIGKILL);
          });
      _exit(done ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(*ReadFile(folder_ / "out.gguf"), old);
  }
  // What was left beside it does not hinder the next run.
  EXPECT_TRUE(Run(in, {.type = DType::kQ8_0}));
}

}  // namespace
}  // namespace jikji
