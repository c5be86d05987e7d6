#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <limits>

namespace jikji {
namespace {

TEST(DTypeTest, SizesAndNames) {
  const struct {
    DType dtype;
    const char* name;
    uint32_t values;
    uint32_t bytes;
  } kCases[] = {
      {DType::kF32, "F32", 1, 4},       {DType::kF16, "F16", 1, 2},
      {DType::kBF16, "BF16", 1, 2},     {DType::kQ4_0, "Q4_0", 32, 18},
      {DType::kQ8_0, "Q8_0", 32, 34},   {DType::kQ4_K, "Q4_K", 256, 144},
      {DType::kQ5_K, "Q5_K", 256, 176}, {DType::kQ6_K, "Q6_K", 256, 210},
  };
  for (const auto& [dtype, name, values, bytes] : kCases) {
    EXPECT_EQ(DTypeName(dtype), name);
    EXPECT_EQ(ParseDType(name), dtype);
    EXPECT_EQ(BlockValues(dtype), values);
    EXPECT_EQ(BlockBytes(dtype), bytes);
    EXPECT_EQ(RowBytes(dtype, 512), 512 / values * bytes);
    EXPECT_EQ(IsQuantised(dtype), values > 1);
  }
  EXPECT_EQ(ParseDType("Q3_K"), std::nullopt);
  EXPECT_EQ(ParseDType("f32"), std::nullopt);
}

TEST(DTypeTest, RowsEndWithABlockAndFit) {
  EXPECT_EQ(RowBytes(DType::kQ4_0, 33), std::nullopt);
  EXPECT_EQ(RowBytes(DType::kQ6_K, 128), std::nullopt);
  EXPECT_EQ(RowBytes(DType::kQ4_0, 0), 0u);
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(RowBytes(DType::kF32, kMax / 4 + 1), std::nullopt);
  EXPECT_EQ(RowBytes(DType::kF32, kMax / 4), kMax / 4 * 4);
  EXPECT_NE(RowBytes(DType::kQ4_K, kMax / 256 * 256), std::nullopt);
}

}  // namespace
}  // namespace jikji
