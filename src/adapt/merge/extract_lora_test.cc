#include "adapt/merge/extract_lora.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

#include "adapt/merge/merge_adapter.h"
#include "adapt/merge/truncated_svd.h"
#include "adapt/tokenizer/byte_tokenizer.h"
#include "base/random.h"
#include "model/golden_models.h"
#include "model/test_adapters.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

double Squares(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += double{value} * value;
  return sum;
}

// Σ values[k] · left[k] ⊗ right[k].
std::vector<float> Product(const TruncatedSvd& svd, int64_t rows, int64_t cols) {
  std::vector<float> out(static_cast<size_t>(rows * cols));
  for (size_t k = 0; k < svd.values.size(); ++k) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) {
        out[static_cast<size_t>(r * cols + c)] += static_cast<float>(
            svd.values[k] *
            double{svd.left[k * static_cast<size_t>(rows) + static_cast<size_t>(r)]} *
            svd.right[k * static_cast<size_t>(cols) + static_cast<size_t>(c)]);
      }
    }
  }
  return out;
}

TEST(TruncatedSvdTest, TheWholeIsTheMatrixAndAPartIsTheBest) {
  ThreadPool pool(2);
  for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>(40, 70), {70, 40}, {33, 33}}) {
    std::vector<float> matrix(static_cast<size_t>(rows * cols));
    Random(7).FillNormal(matrix, 1);
    const int64_t least = std::min(rows, cols);
    const TruncatedSvd whole = LargestSingularValues(matrix, rows, cols, least, pool);
    const auto product = Product(whole, rows, cols);
    for (size_t i = 0; i < matrix.size(); ++i) ASSERT_NEAR(product[i], matrix[i], 1e-4);
    // Eckart & Young: what a part leaves is the rest of the values.
    const TruncatedSvd part = LargestSingularValues(matrix, rows, cols, 5, pool);
    double rest = 0;
    for (size_t k = 0; k < whole.values.size(); ++k) {
      if (k < 5) {
        EXPECT_NEAR(part.values[k], whole.values[k], 2e-3 * whole.values[k]);
      } else {
        rest += whole.values[k] * whole.values[k];
      }
    }
    auto left = Product(part, rows, cols);
    for (size_t i = 0; i < matrix.size(); ++i) left[i] -= matrix[i];
    EXPECT_NEAR(Squares(left), rest, 5e-3 * rest);
  }
}

TEST(TruncatedSvdTest, OfLowRankAndOfNothing) {
  ThreadPool pool(1);
  constexpr int64_t kRows = 30, kCols = 50;
  std::vector<float> a(3 * kCols), b(kRows * 3), matrix(kRows * kCols);
  Random random(3);
  random.FillNormal(a, 1);
  random.FillNormal(b, 1);
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t c = 0; c < kCols; ++c) {
      for (size_t k = 0; k < 3; ++k) matrix[r * kCols + c] += b[r * 3 + k] * a[k * kCols + c];
    }
  }
  const TruncatedSvd svd = LargestSingularValues(matrix, kRows, kCols, 6, pool);
  for (size_t k = 3; k < 6; ++k) EXPECT_LT(svd.values[k], 1e-4 * svd.values[0]);
  const auto product = Product(svd, kRows, kCols);
  for (size_t i = 0; i < matrix.size(); ++i) ASSERT_NEAR(product[i], matrix[i], 1e-4);
  std::ranges::fill(matrix, 0.0f);
  EXPECT_EQ(LargestSingularValues(matrix, kRows, kCols, 2, pool).values,
            (std::vector<double>{0, 0}));
}

class ExtractLoraTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(place_.path() / "base");
    ASSERT_TRUE(WriteFolder(model_, place_.path() / "base", AllAs(DType::kF32)));
    const auto decoder = *LoadDecoder(place_.path() / "base");
    spec_ = decoder->spec();
    ASSERT_TRUE(WriteTestAdapter({.seed = "x", .rank = 4}, spec_, place_.path() / "adapter"));
    ASSERT_TRUE(MergeAdapter(place_.path() / "adapter", place_.path() / "base",
                             place_.path() / "tuned", {}, pool_));
  }
  Result<ExtractReport> Extract(int64_t rank, const char* tuned = "tuned") {
    fs::remove_all(place_.path() / "out");
    return ExtractLora(place_.path() / tuned, place_.path() / "base", place_.path() / "out", rank,
                       pool_);
  }
  std::vector<float> LogitsOf(const fs::path& folder) {
    const auto decoder = *LoadDecoder(folder);
    const int32_t last = static_cast<int32_t>(model_.prompt.size()) - 1;
    return Sequence(*decoder, 64).Run(model_.prompt, std::span(&last, 1));
  }

  TemporaryFolder place_;
  ThreadPool pool_{2};
  const GoldenModel& model_ = GoldenNamed("qwen3");
  DecoderSpec spec_;
};

TEST_F(ExtractLoraTest, GivesBackWhatWasMergedIn) {
  const auto report = Extract(4);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->matrices, static_cast<int64_t>(7 * spec_.layers.size()));
  EXPECT_NEAR(report->kept, 1, 1e-6);
  EXPECT_TRUE(report->left_out.empty());
  ASSERT_TRUE(MergeAdapter(place_.path() / "out", place_.path() / "base", place_.path() / "again",
                           {}, pool_));
  EXPECT_LT(RelativeError(LogitsOf(place_.path() / "again"), LogitsOf(place_.path() / "tuned")),
            1e-4);
}

TEST_F(ExtractLoraTest, OfAnExtendedVocabularyTheRowsAreTakenWhole) {
  GoldenModel longer = model_;
  for (GoldenTensor& tensor : longer.tensors) {
    if (tensor.name == "model.embed_tokens.weight") {
      tensor.shape[0] += 3;
      tensor.values.resize(tensor.values.size() + 3 * static_cast<size_t>(spec_.hidden), 0.25f);
    }
    if (tensor.name.ends_with("layers.0.mlp.up_proj.weight")) tensor.values[3] += 0.5f;
  }
  boost::json::value config = boost::json::parse(longer.config);
  config.as_object()["vocab_size"] = spec_.vocab + 3;
  longer.config = boost::json::serialize(config);
  fs::create_directory(place_.path() / "longer");
  ASSERT_TRUE(WriteFolder(longer, place_.path() / "longer", AllAs(DType::kF32)));
  ASSERT_TRUE(WriteFileAtomic(place_.path() / "longer/tokenizer.json", ByteTokenizer()));
  const auto report = Extract(1, "longer");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->matrices, 1);
  EXPECT_TRUE(report->left_out.empty());
  const auto adapter = PeftAdapter::Open(place_.path() / "out", spec_);
  ASSERT_TRUE(adapter) << adapter.error().ToString();
  EXPECT_TRUE(adapter->config.saves_embedding && adapter->config.saves_head);
  EXPECT_EQ(adapter->vocab, spec_.vocab + 3);
  EXPECT_TRUE(fs::exists(place_.path() / "out/tokenizer.json"));
  ASSERT_TRUE(MergeAdapter(place_.path() / "out", place_.path() / "base", place_.path() / "again",
                           {}, pool_));
  EXPECT_LT(RelativeError(LogitsOf(place_.path() / "again"), LogitsOf(place_.path() / "longer")),
            1e-4);
}

TEST_F(ExtractLoraTest, ALowerRankKeepsLessAndSaysSo) {
  const auto two = Extract(2), three = Extract(3);
  ASSERT_TRUE(two && three);
  EXPECT_LT(two->kept, three->kept);
  EXPECT_LT(three->kept, 1);
  EXPECT_GT(two->kept, 0.5);
}

TEST_F(ExtractLoraTest, WhatAnAdapterCannotHoldIsNamed) {
  GoldenModel changed = model_;
  for (GoldenTensor& tensor : changed.tensors) {
    if (tensor.name == "model.norm.weight" ||
        tensor.name.ends_with("layers.0.mlp.up_proj.weight")) {
      tensor.values[3] += 0.5f;
    }
  }
  fs::create_directory(place_.path() / "changed");
  ASSERT_TRUE(WriteFolder(changed, place_.path() / "changed", AllAs(DType::kF32)));
  const auto report = Extract(1, "changed");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->matrices, 1);
  EXPECT_NEAR(report->kept, 1, 1e-6);
  EXPECT_EQ(report->left_out, (std::vector<std::string>{"model.norm.weight"}));
  EXPECT_THAT(Extract(1, "base").error().message, HasSubstr("nothing to extract"));
  EXPECT_THAT(Extract(100000).error().message, HasSubstr("is more than the matrix has"));
  EXPECT_FALSE(fs::exists(place_.path() / "out"));
}

}  // namespace
}  // namespace jikji
