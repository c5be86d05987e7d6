#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/each_isa.h"

namespace jikji::kernels {
namespace {

std::vector<float> Random(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) value = normal(random);
  return out;
}

struct Case {
  int64_t m, n, k;
};

// One of each remainder of tiles, more than one block of k, and a side beyond what is packed at a
// time.
constexpr Case kCases[] = {{1, 1, 1},     {3, 5, 7},      {12, 32, 16},   {13, 33, 385},
                           {97, 257, 64}, {64, 192, 900}, {5, 4099, 33},  {4097, 6, 9},
                           {31, 16, 770}, {2, 128, 1000}, {100, 100, 384}};

enum class Form { kPlain, kTransposed };

MatrixView View(const std::vector<float>& data, int64_t rows, int64_t cols, Form form) {
  return form == Form::kPlain ? Plain(data.data(), cols) : Transposed(data.data(), rows);
}

float At(const MatrixView& v, int64_t r, int64_t c) {
  return v.data[r * v.row_stride + c * v.col_stride];
}

TEST(Gemm, AgreesWithTheDefinition) {
  for (const Case& c : kCases) {
    for (const Form form_a : {Form::kPlain, Form::kTransposed}) {
      for (const Form form_b : {Form::kPlain, Form::kTransposed}) {
        const std::vector<float> a = Random(c.m * c.k, 1), b = Random(c.k * c.n, 2);
        const MatrixView va = View(a, c.m, c.k, form_a), vb = View(b, c.k, c.n, form_b);
        const int64_t stride = c.n + 3;
        const std::vector<float> before = Random(c.m * stride, 3);
        ForEachIsa([&] {
          ThreadPool pool(2);
          std::vector<float> fresh = before, added = before;
          Gemm({c.m, c.n, c.k}, va, vb, fresh.data(), stride, false, pool);
          Gemm({c.m, c.n, c.k}, va, vb, added.data(), stride, true, pool);
          for (int64_t i = 0; i < c.m; ++i) {
            for (int64_t j = 0; j < stride; ++j) {
              const auto at = static_cast<size_t>(i * stride + j);
              if (j >= c.n) {  // past the row's end nothing is written
                ASSERT_EQ(fresh[at], before[at]);
                continue;
              }
              if (i * j % 7 != 0) continue;  // a sample, since the definition is slow
              double sum = 0.0, magnitude = 0.0;
              for (int64_t k = 0; k < c.k; ++k) {
                const double term = double{At(va, i, k)} * At(vb, k, j);
                sum += term;
                magnitude += std::abs(term);
              }
              // At most two roundings a step (without FMA), each of a partial sum.
              const double tolerance = 2 * static_cast<double>(c.k + 2) * 0x1p-24 * magnitude;
              ASSERT_NEAR(fresh[at], sum, tolerance);
              ASSERT_NEAR(added[at], sum + before[at],
                          tolerance + 0x1p-23 * (magnitude + std::abs(before[at])));
            }
          }
        });
      }
    }
  }
}

TEST(Gemm, BitsDependOnNeitherThreadsNorNeighbours) {
  const int64_t m = 101, n = 77, k = 801;
  const std::vector<float> a = Random(m * k, 4), b = Random(k * n, 5);
  ForEachIsa([&] {
    std::vector<float> one(m * n), alone(m * n), row(n);
    ThreadPool single(1);
    Gemm({m, n, k}, Plain(a.data(), k), Plain(b.data(), n), one.data(), n, false, single);
    GemmOnThread({m, n, k}, Plain(a.data(), k), Plain(b.data(), n), alone.data(), n, false);
    ASSERT_EQ(0, std::memcmp(one.data(), alone.data(), one.size() * sizeof(float)));
    for (const size_t threads : {2, 3, 5}) {
      ThreadPool pool(threads);
      std::vector<float> many(m * n);
      Gemm({m, n, k}, Plain(a.data(), k), Plain(b.data(), n), many.data(), n, false, pool);
      ASSERT_EQ(0, std::memcmp(one.data(), many.data(), one.size() * sizeof(float)));
    }
    for (const int64_t i : {0, 50, 100}) {
      Gemm({1, n, k}, Plain(&a[static_cast<size_t>(i * k)], k), Plain(b.data(), n), row.data(), n,
           false, single);
      ASSERT_EQ(0, std::memcmp(&one[static_cast<size_t>(i * n)], row.data(), n * sizeof(float)));
    }
  });
}

// A part of an operand packed once: the bits of the part alone.
TEST(Gemm, PanelsGiveTheBitsOfTheirParts) {
  const int64_t rows = 900, cols = 200, m = 29;
  const std::vector<float> a = Random(m * rows, 6), whole = Random(rows * cols, 7);
  struct Part {
    int64_t first_k, k, first_n, n;
  };
  ForEachIsa([&] {
    for (const Form form : {Form::kPlain, Form::kTransposed}) {
      const MatrixView b = View(whole, rows, cols, form);
      GemmPanels panels;
      panels.Pack(b, rows, cols);
      for (const Part& p : {Part{0, 900, 0, 200}, Part{3, 8, 64, 8}, Part{100, 500, 128, 72}}) {
        const MatrixView part{b.data + p.first_k * b.row_stride + p.first_n * b.col_stride,
                              b.row_stride, b.col_stride};
        std::vector<float> want(static_cast<size_t>(m * p.n), 1.0f), got = want;
        GemmOnThread({m, p.n, p.k}, Plain(a.data(), rows), part, want.data(), p.n, true);
        GemmOnThread({m, p.n, p.k}, Plain(a.data(), rows), panels, p.first_k, p.first_n, got.data(),
                     p.n, true);
        ASSERT_EQ(0, std::memcmp(want.data(), got.data(), want.size() * sizeof(float)));
      }
    }
  });
}

TEST(Gemm, AnEmptySumIsZero) {
  ThreadPool pool(1);
  std::vector<float> c(6, 3.0f);
  Gemm({2, 3, 0}, {}, {}, c.data(), 3, true, pool);
  EXPECT_EQ(c, std::vector<float>(6, 3.0f));
  Gemm({2, 3, 0}, {}, {}, c.data(), 3, false, pool);
  EXPECT_EQ(c, std::vector<float>(6, 0.0f));
  Gemm({0, 3, 5}, {}, {}, nullptr, 3, false, pool);
}

}  // namespace
}  // namespace jikji::kernels
