// Weights times activations: y[t, r] = Σ_c w[r, c] · x[t, c].
//
// Contract (promise 1): y[t, r] depends on row r of w and row t of x alone, bit for bit: not on how
// many rows x has, how the work is tiled, or how many threads share it. Quantised weights are
// multiplied with activations quantised to int8 per block; F32, F16 and BF16 weights with f32
// activations, accumulated in f32.
#ifndef JIKJI_KERNELS_MATMUL_H_
#define JIKJI_KERNELS_MATMUL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/tensor.h"

namespace jikji::kernels {

// A weight matrix made ready for multiplication: in place in its file where the layout allows it,
// else repacked.
class WeightMatrix {
 public:
  // `row_order`, if not empty, says which row of `weights` becomes row i. The checkpoint must
  // outlive the matrix.
  static Result<WeightMatrix> Prepare(const TensorView& weights,
                                      std::span<const int32_t> row_order = {});

  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  DType dtype() const { return dtype_; }
  // Bytes that one multiplication reads.
  uint64_t bytes() const;
  const std::byte* Row(int64_t row) const { return data_ + row * row_bytes_; }

 private:
  int64_t rows_ = 0;
  int64_t cols_ = 0;
  int64_t row_bytes_ = 0;
  DType dtype_ = DType::kF32;
  const std::byte* data_ = nullptr;
  std::shared_ptr<std::byte[]> owned_;  // where the rows were copied
};

// x: [tokens, w.cols()], y: [tokens, w.rows()], both row-major f32 without gaps; they must not
// overlap.
void MatMul(const WeightMatrix& w, const float* x, int64_t tokens, float* y, ThreadPool& pool);

// out[i, :] = row ids[i] of w as f32: the embedding. out: [ids, w.cols()]. Ids must be in range.
void GatherRows(const WeightMatrix& w, std::span<const int32_t> ids, float* out);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_H_
