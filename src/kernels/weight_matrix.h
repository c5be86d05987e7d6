// A weight matrix made ready for multiplication: repacked into panels (weight_panels.h) in memory
// that large pages back.
//
// Matrices of a model share slabs of a WeightMemory, since a large page is larger than many a
// matrix. Contract: the checkpoint is read once, by Prepare, and not needed afterwards; Rows gives
// back the very values it held.
#ifndef JIKJI_KERNELS_WEIGHT_MATRIX_H_
#define JIKJI_KERNELS_WEIGHT_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/tensor.h"

namespace jikji::kernels {

// Hands out parts of anonymous memory, 64 bytes aligned and zero. A part lives as long as its
// pointer, whatever becomes of this.
class WeightMemory {
 public:
  // kResourceExhausted where the system has none.
  Result<std::shared_ptr<std::byte[]>> Allocate(uint64_t bytes);

 private:
  std::shared_ptr<std::byte[]> slab_;
  uint64_t slab_bytes_ = 0;
  uint64_t used_ = 0;
};

class WeightMatrix {
 public:
  // `row_order`, if not empty, says which row of `weights` becomes row i.
  static Result<WeightMatrix> Prepare(const TensorView& weights, WeightMemory& memory,
                                      ThreadPool& pool, std::span<const int32_t> row_order = {});

  // Bytes that Prepare takes for `rows` by `cols` of `dtype`.
  static uint64_t PackedBytes(DType dtype, int64_t rows, int64_t cols);

  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  DType dtype() const { return dtype_; }
  // Bytes that one multiplication reads.
  uint64_t bytes() const { return static_cast<uint64_t>(panels() * panel_bytes_); }

  int64_t panels() const;
  int64_t steps() const;  // of a panel
  int64_t panel_bytes() const { return panel_bytes_; }
  const std::byte* Panel(int64_t panel) const { return data_.get() + panel * panel_bytes_; }

 private:
  int64_t rows_ = 0;
  int64_t cols_ = 0;
  int64_t panel_bytes_ = 0;
  DType dtype_ = DType::kF32;
  std::shared_ptr<std::byte[]> data_;
};

// out[i, :] = row ids[i] of w as f32: the embedding. out: [ids, w.cols()]. Ids must be in range.
void GatherRows(const WeightMatrix& w, std::span<const int32_t> ids, float* out);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_WEIGHT_MATRIX_H_
