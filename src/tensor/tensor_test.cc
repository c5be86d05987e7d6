#include "tensor/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tensor/quant/blocks.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;

// Rows of 256 · 2 values, row r of value r + 1 throughout, one byte off any alignment.
struct Packed {
  static constexpr int64_t kRows = 5;
  static constexpr int64_t kCols = 512;

  explicit Packed(DType dtype) {
    bytes.resize(1);
    VisitBlock(dtype, [&]<class Block>() {
      for (int64_t row = 0; row < kRows; ++row) {
        const std::vector<float> x(Block::kValues, static_cast<float>(row + 1));
        const Block block = Block::Pack(x.data());
        for (int64_t i = 0; i < kCols; i += Block::kValues) {
          bytes.append(reinterpret_cast<const char*>(&block), sizeof(block));
        }
      }
    });
    view = {"w", dtype, {kRows, kCols}, std::as_bytes(std::span(bytes)).subspan(1)};
  }

  std::string bytes;
  TensorView view;
};

TEST(TensorTest, UnpacksRowsOfEveryType) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ4_0, DType::kQ8_0,
                            DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
    const Packed packed(dtype);
    for (int64_t first = 0; first <= Packed::kRows; ++first) {
      for (int64_t count = 0; first + count <= Packed::kRows; ++count) {
        std::vector<float> out(static_cast<size_t>(count * Packed::kCols));
        ASSERT_TRUE(UnpackRows(packed.view, first, count, out));
        for (size_t i = 0; i < out.size(); ++i) {
          const auto row = first + static_cast<int64_t>(i) / Packed::kCols;
          ASSERT_NEAR(out[i], static_cast<float>(row + 1), 0.01) << DTypeName(dtype);
        }
      }
    }
    EXPECT_EQ(UnpackTensor(packed.view)->size(),
              static_cast<size_t>(Packed::kRows * Packed::kCols));
  }
}

TEST(TensorTest, RefusesWhatDoesNotFit) {
  Packed packed(DType::kQ8_0);
  std::vector<float> row(Packed::kCols);
  const auto refusal = [&](int64_t first, int64_t count) {
    const auto unpacked = UnpackRows(packed.view, first, count, row);
    return unpacked ? std::string() : unpacked.error().message;
  };
  EXPECT_EQ(refusal(4, 1), "");
  EXPECT_THAT(refusal(5, 1), HasSubstr("rows 5"));
  EXPECT_THAT(refusal(-1, 1), HasSubstr("rows -1"));
  EXPECT_THAT(refusal(1, -1), HasSubstr("-1 of 5"));
  EXPECT_THAT(refusal(1, INT64_MAX), HasSubstr("of 5"));
  EXPECT_THAT(refusal(0, 2), HasSubstr("room for 512 values"));

  packed.view.shape = {6, Packed::kCols};
  EXPECT_THAT(refusal(0, 1), HasSubstr("disagree"));
  EXPECT_FALSE(UnpackTensor(packed.view));
  packed.view.shape = {5, Packed::kCols - 1};
  EXPECT_THAT(refusal(0, 1), HasSubstr("inside a block"));
  packed.view.shape = {int64_t{1} << 61};
  EXPECT_FALSE(UnpackTensor(packed.view));
}

TEST(TensorTest, ShapesOfOtherRanks) {
  TensorView tensor;
  EXPECT_EQ(tensor.rows(), 1);
  EXPECT_EQ(tensor.cols(), 1);
  tensor.shape = {7};
  EXPECT_EQ(tensor.rows(), 1);
  EXPECT_EQ(tensor.cols(), 7);
  tensor.shape = {2, 3, 4};
  EXPECT_EQ(tensor.rows(), 6);
  EXPECT_EQ(tensor.cols(), 4);
  EXPECT_EQ(tensor.values(), 24);
}

}  // namespace
}  // namespace jikji
