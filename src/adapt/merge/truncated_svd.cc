#include "adapt/merge/truncated_svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "kernels/gemm.h"

namespace jikji {
namespace {

// Directions more than are asked for, and passes over the matrix: with them the energy that is
// kept is the best possible to four digits even where singular values fall slowly.
constexpr int64_t kMoreDirections = 16;
constexpr int kPowerIterations = 6;

// Makes the rows of q orthonormal (Gram & Schmidt, twice: once loses digits where rows are nearly
// parallel). A row that is nothing but the others becomes zero.
void Orthonormalise(std::vector<float>& q, int64_t count, int64_t width) {
  const auto row = [&](int64_t i) { return q.data() + i * width; };
  for (int64_t i = 0; i < count; ++i) {
    double before = 0;
    for (int64_t c = 0; c < width; ++c) before += double{row(i)[c]} * row(i)[c];
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t j = 0; j < i; ++j) {
        double dot = 0;
        for (int64_t c = 0; c < width; ++c) dot += double{row(i)[c]} * row(j)[c];
        const auto part = static_cast<float>(dot);
        for (int64_t c = 0; c < width; ++c) row(i)[c] -= part * row(j)[c];
      }
    }
    double after = 0;
    for (int64_t c = 0; c < width; ++c) after += double{row(i)[c]} * row(i)[c];
    // What is left of a row that the others span is rounding.
    const bool spanned = after <= 1e-12 * before || after == 0;
    const auto scale = static_cast<float>(spanned ? 0.0 : 1.0 / std::sqrt(after));
    for (int64_t c = 0; c < width; ++c) row(i)[c] *= scale;
  }
}

// Eigenvalues of a symmetric matrix on its diagonal, eigenvectors as rows of the result (Jacobi
// 1846). `m`: [n, n].
std::vector<double> Diagonalise(std::vector<double>& m, size_t n) {
  std::vector<double> vectors(n * n, 0.0);
  for (size_t i = 0; i < n; ++i) vectors[i * n + i] = 1;
  constexpr int kMostSweeps = 60;  // some ten do; the bound is for what is not finite
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double off = 0, on = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) (i == j ? on : off) += m[i * n + j] * m[i * n + j];
    }
    if (!(off > 1e-30 * on)) break;
    for (size_t p = 0; p < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) {
        const double apq = m[p * n + q];
        if (apq == 0) continue;
        const double theta = (m[q * n + q] - m[p * n + p]) / (2 * apq);
        const double t = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
        const double c = 1 / std::hypot(t, 1.0), s = t * c;
        for (size_t k = 0; k < n; ++k) {
          const double kp = m[k * n + p], kq = m[k * n + q];
          m[k * n + p] = c * kp - s * kq;
          m[k * n + q] = s * kp + c * kq;
        }
        for (size_t k = 0; k < n; ++k) {
          const double pk = m[p * n + k], qk = m[q * n + k];
          m[p * n + k] = c * pk - s * qk;
          m[q * n + k] = s * pk + c * qk;
          const double vp = vectors[p * n + k], vq = vectors[q * n + k];
          vectors[p * n + k] = c * vp - s * vq;
          vectors[q * n + k] = s * vp + c * vq;
        }
      }
    }
  }
  return vectors;
}

}  // namespace

TruncatedSvd LargestSingularValues(std::span<const float> matrix, int64_t rows, int64_t cols,
                                   int64_t rank, ThreadPool& pool) {
  using kernels::Plain, kernels::Transposed;
  const int64_t count = std::min({rank + kMoreDirections, rows, cols});
  const auto size = [](int64_t a, int64_t b) { return static_cast<size_t>(a * b); };
  std::vector<float> right(size(count, cols)), left(size(count, rows));
  Random(1).FillNormal(right, 1);
  const auto multiply = [&] {  // left = orthonormal rows of right · matrixᵀ
    kernels::Gemm({count, rows, cols}, Plain(right.data(), cols), Transposed(matrix.data(), cols),
                  left.data(), rows, false, pool);
    Orthonormalise(left, count, rows);
  };
  const auto multiply_back = [&] {  // right = left · matrix
    kernels::Gemm({count, cols, rows}, Plain(left.data(), rows), Plain(matrix.data(), cols),
                  right.data(), cols, false, pool);
  };
  multiply();
  for (int i = 0; i < kPowerIterations; ++i) {
    multiply_back();
    Orthonormalise(right, count, cols);
    multiply();
  }
  multiply_back();  // the matrix seen from the directions on the left
  const auto n = static_cast<size_t>(count);
  std::vector<double> gram(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double dot = 0;
      for (int64_t c = 0; c < cols; ++c) {
        dot += double{right[i * static_cast<size_t>(cols) + static_cast<size_t>(c)]} *
               right[j * static_cast<size_t>(cols) + static_cast<size_t>(c)];
      }
      gram[i * n + j] = gram[j * n + i] = dot;
    }
  }
  const std::vector<double> vectors = Diagonalise(gram, n);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order,
                           [&](size_t a, size_t b) { return gram[a * n + a] > gram[b * n + b]; });
  TruncatedSvd out;
  out.left.assign(size(rank, rows), 0.0f);
  out.right.assign(size(rank, cols), 0.0f);
  for (int64_t k = 0; k < rank; ++k) {
    const size_t from = order[static_cast<size_t>(k)];
    const double value = std::sqrt(std::max(0.0, gram[from * n + from]));
    out.values.push_back(value);
    if (value == 0) continue;
    const auto combine = [&](const std::vector<float>& basis, int64_t width, double scale,
                             float* to) {
      for (int64_t c = 0; c < width; ++c) {
        double sum = 0;
        for (size_t i = 0; i < n; ++i) {
          sum += vectors[from * n + i] *
                 basis[i * static_cast<size_t>(width) + static_cast<size_t>(c)];
        }
        to[c] = static_cast<float>(sum * scale);
      }
    };
    combine(left, rows, 1, out.left.data() + k * rows);
    combine(right, cols, 1 / value, out.right.data() + k * cols);
  }
  return out;
}

}  // namespace jikji
