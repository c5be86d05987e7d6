#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/each_isa.h"
#include "kernels/matmul_cases.h"
#include "kernels/matmul_ref.h"

namespace jikji::kernels {
namespace {

bool SameBits(const float* a, const float* b, int64_t count) {
  return std::memcmp(a, b, static_cast<size_t>(count) * sizeof(float)) == 0;
}

void CheckAgainstReference(DType dtype, const MatMulCase& c, size_t misalignment) {
  SCOPED_TRACE(std::string(DTypeName(dtype)) + " rows " + std::to_string(c.rows) + " cols " +
               std::to_string(c.cols) + " tokens " + std::to_string(c.tokens));
  const RandomWeights weights = MakeWeights(dtype, c.rows, c.cols, 1, misalignment);
  const auto w = WeightMatrix::Prepare(weights.view);
  ASSERT_TRUE(w) << w.error().ToString();
  const std::vector<float> x = MakeActivations(c.tokens * c.cols, 2);
  std::vector<float> seen = x;
  if (IsQuantised(dtype)) seen = QuantiseRef(x.data(), c.tokens, c.cols);
  const auto wanted = MatMulRef(*w, seen.data(), c.tokens);
  const double tolerance = MatMulTolerance(dtype, c.cols);
  ForEachIsa([&] {
    ThreadPool pool(2);
    std::vector<float> y(static_cast<size_t>(c.tokens * c.rows), -1.0f);
    MatMul(*w, x.data(), c.tokens, y.data(), pool);
    for (size_t i = 0; i < y.size(); ++i) {
      ASSERT_NEAR(y[i], wanted[i].value, tolerance * wanted[i].magnitude) << "at " << i;
    }
  });
}

TEST(MatMul, AgreesWithTheReference) {
  for (DType dtype : kWeightTypes) {
    for (const MatMulCase& c : kMatMulCases) {
      if (!c.timed) CheckAgainstReference(dtype, c, 0);
    }
  }
}

TEST(MatMul, TakesColumnsThatFillNoVectorAtAnyAddress) {
  for (DType dtype : kWeightTypes) {
    for (const MatMulCase& c : kOddMatMulCases) {
      if (c.cols % BlockValues(dtype) != 0) continue;
      for (size_t misalignment : {0, 1, 2, 7}) CheckAgainstReference(dtype, c, misalignment);
    }
  }
}

// Quantising moves each activation by at most half a step, max|x| / 254, of its group.
TEST(MatMul, QuantisingActivationsCostsAtMostHalfAStep) {
  constexpr int64_t kRows = 24, kCols = 1024, kTokens = 3;
  ThreadPool pool(1);
  for (DType dtype : kWeightTypes) {
    if (!IsQuantised(dtype)) continue;
    SCOPED_TRACE(std::string(DTypeName(dtype)));
    const RandomWeights weights = MakeWeights(dtype, kRows, kCols, 3);
    const auto w = WeightMatrix::Prepare(weights.view);
    ASSERT_TRUE(w);
    const std::vector<float> x = MakeActivations(kTokens * kCols, 4);
    std::vector<float> step(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = i / 32 * 32; j < i / 32 * 32 + 32; ++j) {
        step[i] = std::max(step[i], std::abs(x[j]) / 254.0f);
      }
    }
    const auto exact = MatMulRef(*w, x.data(), kTokens);
    const auto moved = MatMulRef(*w, step.data(), kTokens);  // its magnitude is Σ |w| · step
    // Rounding of d, of x · 127 / max|x| and of the sums comes on top.
    const double rounding = MatMulTolerance(dtype, kCols);
    ForEachIsa([&] {
      std::vector<float> y(exact.size());
      MatMul(*w, x.data(), kTokens, y.data(), pool);
      for (size_t i = 0; i < y.size(); ++i) {
        ASSERT_NEAR(y[i], exact[i].value,
                    moved[i].magnitude + rounding * (exact[i].magnitude + moved[i].magnitude));
      }
    });
  }
}

TEST(MatMul, ARowsBitsDoNotDependOnOtherTokensOrThreads) {
  std::mt19937 random(5);
  for (DType dtype : kWeightTypes) {
    SCOPED_TRACE(std::string(DTypeName(dtype)));
    for (int round = 0; round < 3; ++round) {
      const int64_t blocks = 1 + static_cast<int64_t>(random() % (IsQuantised(dtype) ? 5 : 300));
      const int64_t cols = blocks * BlockValues(dtype);
      const int64_t rows = 1 + static_cast<int64_t>(random() % 300);
      constexpr int64_t kTokens = 17;
      const RandomWeights weights = MakeWeights(dtype, rows, cols, random());
      const auto w = WeightMatrix::Prepare(weights.view);
      ASSERT_TRUE(w);
      const std::vector<float> x = MakeActivations(kTokens * cols, random());
      ForEachIsa([&] {
        std::vector<float> alone(static_cast<size_t>(kTokens * rows));
        ThreadPool one(1);
        for (int64_t t = 0; t < kTokens; ++t) {
          MatMul(*w, x.data() + t * cols, 1, alone.data() + t * rows, one);
        }
        for (size_t threads = 1; threads <= 3; ++threads) {
          ThreadPool pool(threads);
          for (int64_t tokens = 1; tokens <= kTokens; ++tokens) {
            const int64_t first = (kTokens - tokens) / 2;
            std::vector<float> y(static_cast<size_t>(tokens * rows));
            MatMul(*w, x.data() + first * cols, tokens, y.data(), pool);
            ASSERT_TRUE(SameBits(y.data(), alone.data() + first * rows, tokens * rows))
                << tokens << " tokens, " << threads << " threads";
          }
        }
      });
    }
  }
}

// Where a row of weights lies among others must not matter either.
TEST(MatMul, ARowsBitsDoNotDependOnOtherRows) {
  constexpr int64_t kRows = 21, kCols = 768;
  ThreadPool pool(1);
  for (DType dtype : kWeightTypes) {
    const RandomWeights weights = MakeWeights(dtype, kRows, kCols, 6);
    const auto w = WeightMatrix::Prepare(weights.view);
    std::vector<int32_t> backwards(kRows);
    std::iota(backwards.rbegin(), backwards.rend(), 0);
    const auto reordered = WeightMatrix::Prepare(weights.view, backwards);
    ASSERT_TRUE(w && reordered);
    for (int64_t tokens : {1, 2, 7}) {
      const std::vector<float> x = MakeActivations(tokens * kCols, 7);
      ForEachIsa([&] {
        std::vector<float> a(static_cast<size_t>(tokens * kRows)), b(a.size());
        MatMul(*w, x.data(), tokens, a.data(), pool);
        MatMul(*reordered, x.data(), tokens, b.data(), pool);
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t r = 0; r < kRows; ++r) {
            ASSERT_TRUE(SameBits(&a[t * kRows + r], &b[t * kRows + kRows - 1 - r], 1));
          }
        }
      });
    }
  }
}

TEST(MatMul, EndsOnWeightsAndActivationsThatAreNotNumbers) {
  constexpr int64_t kRows = 5, kCols = 256;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  ThreadPool pool(2);
  for (DType dtype : kWeightTypes) {
    SCOPED_TRACE(std::string(DTypeName(dtype)));
    RandomWeights weights = MakeWeights(dtype, kRows, kCols, 8);
    for (const float odd : {0.0f, 1e-40f, -1e-30f, 3e38f, kInf, kNan}) {
      std::vector<float> x = MakeActivations(2 * kCols, 9);
      x[kCols + 77] = odd;
      const auto w = WeightMatrix::Prepare(weights.view);
      ASSERT_TRUE(w);
      ForEachIsa([&] {
        std::vector<float> y(2 * kRows);
        MatMul(*w, x.data(), 2, y.data(), pool);
        for (int64_t r = 0; r < kRows; ++r) {
          EXPECT_TRUE(std::isfinite(y[r])) << "the other token's";
          if (std::isfinite(odd) && std::abs(odd) > 1) continue;  // may overflow
          EXPECT_EQ(std::isfinite(y[kRows + r]), std::isfinite(odd));
        }
      });
    }
    std::fill(weights.bytes.begin(), weights.bytes.end(), std::byte{0xFF});  // NaN in every type
    const auto w = WeightMatrix::Prepare(weights.view);
    ASSERT_TRUE(w);
    const std::vector<float> x = MakeActivations(kCols, 10);
    ForEachIsa([&] {
      std::vector<float> y(kRows);
      MatMul(*w, x.data(), 1, y.data(), pool);
      for (float value : y) EXPECT_TRUE(std::isnan(value));
    });
  }
}

TEST(MatMul, ZeroAndTinyActivationsGiveZero) {
  constexpr int64_t kRows = 9, kCols = 256;
  ThreadPool pool(1);
  for (DType dtype : kWeightTypes) {
    const RandomWeights weights = MakeWeights(dtype, kRows, kCols, 11);
    const auto w = WeightMatrix::Prepare(weights.view);
    ASSERT_TRUE(w);
    for (float value : {0.0f, -0.0f, 1e-45f}) {
      const std::vector<float> x(kCols, value);
      ForEachIsa([&] {
        std::vector<float> y(kRows, 1.0f);
        MatMul(*w, x.data(), 1, y.data(), pool);
        for (float result : y) EXPECT_NEAR(result, 0.0f, 1e-40f);
      });
    }
  }
}

TEST(WeightMatrix, RefusesShapesThatDoNotFit) {
  RandomWeights weights = MakeWeights(DType::kQ4_K, 2, 512, 12);
  EXPECT_TRUE(WeightMatrix::Prepare(weights.view));
  TensorView view = weights.view;
  view.shape = {2, 500};
  EXPECT_FALSE(WeightMatrix::Prepare(view));
  view.shape = {3, 512};
  EXPECT_FALSE(WeightMatrix::Prepare(view));
  view.shape = {0, 512};
  EXPECT_FALSE(WeightMatrix::Prepare(view));
  view.shape = {};
  EXPECT_FALSE(WeightMatrix::Prepare(view));
  EXPECT_FALSE(WeightMatrix::Prepare(weights.view, std::vector<int32_t>{0, 2}));
  EXPECT_FALSE(WeightMatrix::Prepare(weights.view, std::vector<int32_t>{-1}));
}

TEST(WeightMatrix, GathersRowsAsTheTensorUnpacksThem) {
  for (DType dtype : kWeightTypes) {
    const RandomWeights weights = MakeWeights(dtype, 6, 512, 13, 1);
    const auto w = WeightMatrix::Prepare(weights.view);
    const auto reordered = WeightMatrix::Prepare(weights.view, std::vector<int32_t>{5, 1});
    ASSERT_TRUE(w && reordered);
    EXPECT_EQ(reordered->rows(), 2);
    EXPECT_EQ(w->bytes(), weights.view.data.size());
    std::vector<float> wanted(512), got(2 * 512);
    ASSERT_TRUE(UnpackRows(weights.view, 1, 1, wanted));
    GatherRows(*w, std::vector<int32_t>{3, 1}, got.data());
    EXPECT_TRUE(SameBits(&got[512], wanted.data(), 512));
    GatherRows(*reordered, std::vector<int32_t>{1, 0}, got.data());
    EXPECT_TRUE(SameBits(&got[0], wanted.data(), 512));
  }
}

}  // namespace
}  // namespace jikji::kernels
