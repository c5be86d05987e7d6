// What low-rank adapters make of a projection on a device: y = gain · (y + scale · B (A x)), for
// the rows of a step that have an adapter, each its own, in one pass over all of them.
//
// Contract (promise 1): what becomes of a row depends on that row of x and y and its adapter alone,
// bit for bit. Other rows are left as they are.
#ifndef JIKJI_KERNELS_GPU_ADAPTER_H_
#define JIKJI_KERNELS_GPU_ADAPTER_H_

#include "device/kernel.h"

namespace jikji::kernels::gpu {

// One adapter's of one projection.
struct AdapterPart {
  const float* a = nullptr;     // [rank, cols]; nullptr: the projection is not adapted
  const float* b = nullptr;     // [rank, width]
  const float* gain = nullptr;  // [width], of DoRA; nullptr: 1
  int32_t rank = 0;
  float scale = 1;
};

struct AdapterArgs {
  const AdapterPart* parts;  // of the projection, by adapter
  const int32_t* adapters;   // [rows]: which one a row has; below 0: none
  const uint16_t* x;         // BF16 [rows, x_stride]
  float* low;                // [rows, most_rank]: A x
  float* y;                  // [rows, width]
  int64_t x_stride;
  int32_t cols;
  int32_t width;
  int32_t most_rank;  // of all adapters
};

// low = A x: a warp has one row of A and of x; a block 8 rows of A and, by its second number, one
// of x.
inline constexpr uint32_t kAdapterWarps = 8;
JIKJI_DECLARE_KERNEL(jikji_adapter_low, AdapterArgs);

// y = gain · (y + scale · B low): a block has 256 values of one row.
JIKJI_DECLARE_KERNEL(jikji_adapter_add, AdapterArgs);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_ADAPTER_H_
