#include "twin/kernel_regression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

namespace jikji::twin {
namespace {

// Eight sums side by side, so that the compiler may use vectors without reordering one sum.
double Dot(const double* a, const double* b, size_t count) {
  std::array<double, 8> sums{};
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  double sum = 0;
  for (; i < count; ++i) sum += a[i] * b[i];
  return std::accumulate(sums.begin(), sums.end(), sum);
}

// Solves the small symmetric system a·x = b in place; `a` is n×n and is destroyed.
void SolveSmall(std::vector<double>& a, std::vector<double>& b) {
  const size_t n = b.size();
  for (size_t k = 0; k < n; ++k) {
    for (size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
    b[k] /= a[k * n + k];
  }
}

}  // namespace

Result<HeldOutRegression> HeldOutRegression::Create(
    size_t n, const std::function<double(size_t, size_t)>& kernel, double noise,
    const std::function<void(double)>& progress) {
  const auto report = [&](double share) {
    if (progress) progress(share);
  };
  std::vector<double> factor(n * n, 0);
  for (size_t i = 0; i < n; ++i) {
    double* row = &factor[i * n];
    for (size_t j = 0; j <= i; ++j) {
      const double* other = &factor[j * n];
      const double left = kernel(i, j) + (i == j ? noise : 0) - Dot(row, other, j);
      if (j < i) {
        row[j] = left / other[j];
      } else if (!(left > 0)) {
        return Fail(ErrorCode::kInvalidArgument, "the kernel matrix is not positive definite");
      } else {
        row[j] = std::sqrt(left);
      }
    }
    if (i % 64 == 0) report(0.5 * std::pow(static_cast<double>(i) / static_cast<double>(n), 3));
  }
  HeldOutRegression regression(n);
  regression.inverse_.assign(n * n, 0);
  for (size_t j = 0; j < n; ++j) {
    double* column = &regression.inverse_[j * n];
    for (size_t i = j; i < n; ++i) {
      const double* row = &factor[i * n];
      column[i] = ((i == j ? 1.0 : 0.0) - Dot(row + j, column + j, i - j)) / row[i];
    }
    if (j % 64 == 0) {
      const double left = 1 - static_cast<double>(j) / static_cast<double>(n);
      report(1 - 0.5 * left * left * left);
    }
  }
  return regression;
}

std::vector<double> HeldOutRegression::Predict(std::span<const double> values,
                                               std::span<const uint32_t> groups) const {
  const size_t n = count_;
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  // weights = K⁻¹·(values − mean), by way of the factor's inverse.
  std::vector<double> half(n, 0), weights(n);
  for (size_t j = 0; j < n; ++j) {
    const double centred = values[j] - mean;
    for (size_t i = j; i < n; ++i) half[i] += inverse_[j * n + i] * centred;
  }
  for (size_t j = 0; j < n; ++j) weights[j] = Dot(&inverse_[j * n + j], &half[j], n - j);
  std::map<uint32_t, std::vector<size_t>> members;
  for (size_t i = 0; i < n; ++i) members[groups[i]].push_back(i);
  std::vector<double> predicted(n);
  for (const auto& [group, points] : members) {
    const size_t size = points.size();
    std::vector<double> block(size * size), error(size);
    for (size_t a = 0; a < size; ++a) {
      error[a] = weights[points[a]];
      for (size_t b = 0; b < size; ++b) {
        const size_t from = std::max(points[a], points[b]);
        block[a * size + b] =
            Dot(&inverse_[points[a] * n + from], &inverse_[points[b] * n + from], n - from);
      }
    }
    SolveSmall(block, error);
    for (size_t a = 0; a < size; ++a) predicted[points[a]] = values[points[a]] - error[a];
  }
  return predicted;
}

}  // namespace jikji::twin
