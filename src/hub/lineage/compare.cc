#include "hub/lineage/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace jikji::hub {
namespace {

constexpr int64_t kRowsRead = 256;

bool SameBytes(const TensorView& a, const TensorView& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.data.size() == b.data.size() &&
         (a.data.empty() || std::memcmp(a.data.data(), b.data.data(), a.data.size()) == 0);
}

// Of rows that both have, at even distances.
Result<double> Cosine(const TensorView& a, const TensorView& b) {
  const int64_t rows = std::min(a.rows(), b.rows());
  const auto cols = static_cast<size_t>(a.cols());
  const int64_t step = std::max<int64_t>(1, rows / kRowsRead);
  std::vector<float> left(cols), right(cols);
  double both = 0, of_a = 0, of_b = 0;
  for (int64_t row = 0; row < rows; row += step) {
    JIKJI_RETURN_IF_ERROR(UnpackRows(a, row, 1, left));
    JIKJI_RETURN_IF_ERROR(UnpackRows(b, row, 1, right));
    for (size_t i = 0; i < cols; ++i) {
      both += double{left[i]} * right[i];
      of_a += double{left[i]} * left[i];
      of_b += double{right[i]} * right[i];
    }
  }
  if (of_a == 0 && of_b == 0) return 1.0;
  const double cosine = both / std::sqrt(of_a * of_b);
  return std::isfinite(cosine) ? cosine : 0.0;
}

}  // namespace

Result<Comparison> CompareModels(const Checkpoint& model, const Checkpoint& base) {
  Comparison out;
  double values = 0, alike = 0;
  for (const TensorView& tensor : model.tensors()) {
    ++out.tensors;
    const bool matrix = tensor.shape.size() >= 2;
    const auto count = static_cast<double>(tensor.values());
    if (matrix) values += count;
    const TensorView* other = base.Find(tensor.name);
    if (other == nullptr) continue;
    if (SameBytes(tensor, *other)) {
      ++out.same;
      if (matrix) alike += count;
    } else if (matrix && other->shape.size() == tensor.shape.size() &&
               other->cols() == tensor.cols()) {
      JIKJI_ASSIGN(const double cosine, Cosine(tensor, *other));
      out.least_cosine = std::min(out.least_cosine, cosine);
      if (cosine >= kAlikeCosine) alike += count;
    }
    model.Release(tensor);
    base.Release(*other);
  }
  out.alike = values == 0 ? 0 : alike / values;
  return out;
}

bool SameWeights(const Checkpoint& a, const Checkpoint& b) {
  return std::ranges::equal(a.tensors(), b.tensors(),
                            [](const TensorView& left, const TensorView& right) {
                              return left.name == right.name && SameBytes(left, right);
                            });
}

}  // namespace jikji::hub
