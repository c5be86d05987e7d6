// The host's side of the device's operations: which kernel, and how many blocks.
//
// Pointers are addresses on the device. What is launched is done in order, after the call returns.
#ifndef JIKJI_KERNELS_GPU_OPS_H_
#define JIKJI_KERNELS_GPU_OPS_H_

#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/thread_pool.h"
#include "device/device.h"
#include "device/staging.h"
#include "kernels/gpu/attention.h"
#include "kernels/gpu/matmul.h"
#include "kernels/gpu/stream.h"
#include "tensor/tensor.h"

namespace jikji::kernels::gpu {

// A weight matrix in a device's memory, which is the caller's.
class DeviceMatrix {
 public:
  // `to`: Bytes() of the device's memory, aligned to 256 bytes, that outlive this. The checkpoint
  // is not needed afterwards. `row_order`, if not empty, says which row of `weights` becomes row i.
  // Rows go through `staging` piece by piece; one holds at least Bytes() of 16 rows.
  static Result<DeviceMatrix> Upload(device::Device& device, device::Staging& staging,
                                     std::byte* to, const TensorView& weights,
                                     std::span<const int32_t> row_order, ThreadPool& pool);

  // A matrix whose tiles lie at `data` on a device already.
  static DeviceMatrix At(const std::byte* data, DType dtype, int64_t rows, int64_t cols);

  // Bytes that Upload takes on the device.
  static uint64_t Bytes(DType dtype, int64_t rows, int64_t cols);

  // Rows [first, first + rows) of it, with `first` a multiple of kTileRows.
  DeviceMatrix Rows(int64_t first, int64_t rows) const;

  const WeightTiles& tiles() const { return tiles_; }
  DType dtype() const { return dtype_; }

 private:
  WeightTiles tiles_;
  DType dtype_ = DType::kF32;
};

// Values from one row of BF16 activations to the next: `width`, rounded up to whole tiles.
int64_t RowStride(int64_t width);

// y[t, r] = scale · Σ w[r, c] · x[t, c]. x: BF16 [tokens, RowStride(cols)], zero past cols; y: f32
// [tokens, rows].
Result<> MatMul(device::Device& device, const DeviceMatrix& w, const uint16_t* x, int64_t tokens,
                float* y, float scale = 1.0f);

// x[i] = scale · row ids[i] of w, for the rows whose owners[i] is `owner`; nullptr: for all.
Result<> Embed(device::Device& device, const DeviceMatrix& w, const int32_t* ids, int64_t rows,
               float scale, float* x, const int32_t* owners = nullptr, int32_t owner = 0);

// The items of `args`, then the merges of those that were split (attention_plan.h).
Result<> Attention(device::Device& device, const AttentionArgs& args, const AttentionItem* merges,
                   int32_t merge_count);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_OPS_H_
