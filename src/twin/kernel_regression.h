// Gaussian-process regression with a whole group left out at a time, in closed form.
//
// For n points and the inverse of their kernel matrix, what a group would have been predicted as
// without it follows from the group's block of the inverse (Rasmussen and Williams 2006, 5.4.2, for
// blocks): one factorisation serves all groups. O(n³) time, 2·n² doubles; some thousand points.
#ifndef JIKJI_TWIN_KERNEL_REGRESSION_H_
#define JIKJI_TWIN_KERNEL_REGRESSION_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"

namespace jikji::twin {

class HeldOutRegression {
 public:
  // `kernel(i, j)` is the covariance of two of `count` points; `noise` that of a repetition.
  static Result<HeldOutRegression> Create(size_t count,
                                          const std::function<double(size_t, size_t)>& kernel,
                                          double noise,
                                          const std::function<void(double)>& progress = {});

  // For each point, what it is predicted as with all of its group held out. `values`: one for each
  // point; the mean of all is taken as known. `groups`: equal for points that are held out
  // together.
  std::vector<double> Predict(std::span<const double> values,
                              std::span<const uint32_t> groups) const;

 private:
  explicit HeldOutRegression(size_t count) : count_(count) {}

  size_t count_;
  // The transpose of the inverse of the Cholesky factor: row j is its column j, from j on.
  std::vector<double> inverse_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_KERNEL_REGRESSION_H_
