// C = A · B in f32: what training multiplies with, where both operands change from step to step.
//
// Contract: an element of C is one fixed sequence of multiply-adds over k, in blocks whose length
// depends on k alone: the same bits however the work is tiled and however many threads share it,
// and whatever the other rows and columns hold. Non-goals: weights that stay as they are for many
// calls (matmul.h), other types (unpack them first).
#ifndef JIKJI_KERNELS_GEMM_H_
#define JIKJI_KERNELS_GEMM_H_

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/float_buffer.h"

namespace jikji::kernels {

// Element (r, c) lies at data[r · row_stride + c · col_stride]: a matrix or its transpose.
struct MatrixView {
  const float* data = nullptr;
  int64_t row_stride = 0;
  int64_t col_stride = 1;
};

// A row-major matrix of `cols` columns, and the transpose of one.
inline MatrixView Plain(const float* data, int64_t cols) { return {data, cols, 1}; }
inline MatrixView Transposed(const float* data, int64_t cols) { return {data, 1, cols}; }

struct GemmSize {
  int64_t m = 0, n = 0, k = 0;
};

// c[m, n] (+)= a[m, k] · b[k, n]; row r of c begins at c + r · c_stride. c overlaps neither
// operand.
void Gemm(const GemmSize& size, const MatrixView& a, const MatrixView& b, float* c,
          int64_t c_stride, bool accumulate, ThreadPool& pool);

// The same on the calling thread alone: for kernels that share their work out themselves. The bits
// are the same too.
void GemmOnThread(const GemmSize& size, const MatrixView& a, const MatrixView& b, float* c,
                  int64_t c_stride, bool accumulate);

// A right operand, packed once for many products with parts of it.
class GemmPanels {
 public:
  // Columns may be taken from multiples of this.
  static constexpr int64_t kAlign = 64;

  void Pack(const MatrixView& b, int64_t k, int64_t n);

  int64_t k() const { return k_; }
  const float* panels() const { return packed_.data(); }

 private:
  FloatBuffer packed_;
  int64_t k_ = 0;
};

// c[m, n] (+)= a[m, k] · b[first_k + k, first_n + n] on the calling thread, with the same bits
// again. Rows of a have col_stride 1; first_n is a multiple of GemmPanels::kAlign; k > 0.
void GemmOnThread(const GemmSize& size, const MatrixView& a, const GemmPanels& b, int64_t first_k,
                  int64_t first_n, float* c, int64_t c_stride, bool accumulate);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_GEMM_H_
