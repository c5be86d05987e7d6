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
  const auto w = PrepareAlone(weights.view);
  ASSERT_TRUE(w) << w.error().ToString();
  const std::vector<float> x = MakeActivations(c.tokens * c.cols, 2);
  const double tolerance = MatMulTolerance(dtype, c.cols);
  ForEachIsa([&] {
    const std::vector<float> seen = ActivationsRef(dtype, ActiveIsa(), x, c.cols);
    const auto wanted = MatMulRef(weights.view, seen.data(), c.tokens);
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
    const auto w = PrepareAlone(weights.view);
    ASSERT_TRUE(w);
    const std::vector<float> x = MakeActivations(kTokens * kCols, 4);
    std::vector<float> step(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = i / 32 * 32; j < i / 32 * 32 + 32; ++j) {
        step[i] = std::max(step[i], std::abs(x[j]) / 254.0f);
      }
    }
    const auto exact = MatMulRef(weights.view, x.data(), kTokens);
    const auto moved =
        MatMulRef(weights.view, step.data(), kTokens);  // its magnitude is Σ |w| · step
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
      const auto w = PrepareAlone(weights.view);
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
    const auto w = PrepareAlone(weights.view);
    std::vector<int32_t> backwards(kRows);
    std::iota(backwards.rbegin(), backwards.rend(), 0);
    const auto reordered = PrepareAlone(weights.view, backwards);
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

// Products of one call, of types that want x in different forms, are those of calls of their own.
TEST(MatMul, ProductsOfACallDoNotDependOnEachOther) {
  constexpr int64_t kCols = 512;
  const DType types[] = {DType::kQ4_K, DType::kBF16, DType::kQ6_K, DType::kQ4_0};
  const int64_t rows[] = {33, 16, 5, 130};
  std::vector<WeightMatrix> weights;
  for (size_t i = 0; i < std::size(types); ++i) {
    const auto w = PrepareAlone(MakeWeights(types[i], rows[i], kCols, 20).view);
    ASSERT_TRUE(w);
    weights.push_back(*w);
  }
  for (int64_t tokens : {1, 3, 30}) {
    const std::vector<float> x = MakeActivations(tokens * kCols, 21);
    ForEachIsa([&] {
      ThreadPool pool(2);
      std::vector<std::vector<float>> together, alone;
      std::vector<MatMulOutput> outputs;
      for (const WeightMatrix& w : weights) {
        together.emplace_back(static_cast<size_t>(tokens * w.rows()));
        alone.push_back(together.back());
        MatMul(w, x.data(), tokens, alone.back().data(), pool);
      }
      for (size_t i = 0; i < weights.size(); ++i) {
        outputs.push_back({&weights[i], together[i].data()});
      }
      MatMul(outputs, x.data(), tokens, pool);
      for (size_t i = 0; i < weights.size(); ++i) {
        EXPECT_TRUE(SameBits(together[i].data(), alone[i].data(), tokens * rows[i]));
      }
    });
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
      const auto w = PrepareAlone(weights.view);
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
    const auto w = PrepareAlone(weights.view);
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
    const auto w = PrepareAlone(weights.view);
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

}  // namespace
}  // namespace jikji::kernels
