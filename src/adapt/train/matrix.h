// A weight matrix in training: trained, in f32, or frozen in the type it lies in, unpacked some
// rows at a time for each product; or its first rows the one and the rest the other.
#ifndef JIKJI_ADAPT_TRAIN_MATRIX_H_
#define JIKJI_ADAPT_TRAIN_MATRIX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/tensor.h"

namespace jikji::train {

class Matrix {
 public:
  // `gradient` may be empty: f32 that is not trained.
  static Matrix InF32(std::span<float> value, std::span<float> gradient, int64_t cols);
  // The view must outlive the matrix.
  static Matrix Frozen(const TensorView& view);
  // Frozen rows, and after them rows in f32 that are trained.
  static Matrix FrozenThenTrained(const TensorView& frozen, std::span<float> value,
                                  std::span<float> gradient);
  // A copy in another type.
  static Result<Matrix> FrozenAs(const TensorView& view, DType dtype);

  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  bool trained() const { return !gradient_.empty(); }

  // y[tokens, rows] (+)= x[tokens, cols] · wᵀ
  void Forward(const float* x, int64_t tokens, float* y, bool accumulate, ThreadPool& pool) const;
  // d_x[tokens, cols] (+)= d_y[tokens, rows] · w
  void BackwardInput(const float* d_y, int64_t tokens, float* d_x, bool accumulate,
                     ThreadPool& pool) const;
  // The gradient += d_yᵀ · x, where it is trained.
  void BackwardWeight(const float* x, const float* d_y, int64_t tokens, ThreadPool& pool) const;

  // out[r] = |row r + scale · (b · a)'s row r|, with a [rank, cols] and b [rows, rank] in f32.
  void SumNorms(const Matrix& a, const Matrix& b, float scale, float* out, ThreadPool& pool) const;

  // out[i, :] = row ids[i] · factor.
  void Gather(std::span<const int32_t> ids, float factor, float* out, ThreadPool& pool) const;
  // The gradient of Gather, where it is trained.
  void GatherBackward(const float* d_x, std::span<const int32_t> ids, float factor,
                      ThreadPool& pool) const;

 private:
  // body(first row, rows, their values) for blocks of rows, in order.
  template <class Body>
  void ForEachBlock(ThreadPool& pool, const Body& body) const;

  int64_t rows_ = 0, cols_ = 0;
  int64_t frozen_ = 0;  // the first rows, which are view_'s; the rest is value_
  std::span<float> value_, gradient_;
  TensorView view_;
  std::shared_ptr<std::vector<std::byte>> owned_;  // what view_ looks at, after FrozenAs
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_MATRIX_H_
