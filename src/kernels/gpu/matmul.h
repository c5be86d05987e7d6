// Weights times activations on a device: y[t, r] = scale · Σ_c w[r, c] · x[t, c], for every weight
// type, dequantised as it is multiplied.
//
// Contract (promise 1): y[t, r] depends on row r of w and row t of x alone, bit for bit: the
// columns are always cut into the same kSegments runs, each summed in order, and the runs' sums are
// added in order, whether one token is multiplied or thousands. x is BF16, sums are f32; a
// quantised type's tile is summed first and scaled then.
#ifndef JIKJI_KERNELS_GPU_MATMUL_H_
#define JIKJI_KERNELS_GPU_MATMUL_H_

#include "device/kernel.h"
#include "kernels/gpu/weight_tiles.h"

namespace jikji::kernels::gpu {

inline constexpr int32_t kSegments = 8;  // one for each warp of a small product

struct MatMulArgs {
  WeightTiles w;
  const uint16_t* x;  // BF16 [tokens, x_stride]; zeros from w.cols to 32 · w.steps
  float* y;           // [tokens, y_stride]
  int64_t x_stride;   // a multiple of 8
  int64_t y_stride;
  int32_t tokens;
  float scale;
};

// Small: a block has 16 rows and 8 · kColumns tokens; wide: 128 rows and 64 tokens.
inline constexpr int32_t kSmallTokens[] = {8, 32};
inline constexpr int32_t kWideRows = 128;
inline constexpr int32_t kWideTokens = 64;
inline constexpr uint32_t kMatMulThreads = 256;

#define JIKJI_MATMUL_KERNELS(Kind)                            \
  JIKJI_DECLARE_KERNEL(jikji_matmul_##Kind##_8, MatMulArgs);  \
  JIKJI_DECLARE_KERNEL(jikji_matmul_##Kind##_32, MatMulArgs); \
  JIKJI_DECLARE_KERNEL(jikji_matmul_##Kind##_wide, MatMulArgs)
JIKJI_MATMUL_KERNELS(F32);
JIKJI_MATMUL_KERNELS(F16);
JIKJI_MATMUL_KERNELS(BF16);
JIKJI_MATMUL_KERNELS(Q4_0);
JIKJI_MATMUL_KERNELS(Q8_0);
JIKJI_MATMUL_KERNELS(Q4_K);
JIKJI_MATMUL_KERNELS(Q5_K);
JIKJI_MATMUL_KERNELS(Q6_K);
#undef JIKJI_MATMUL_KERNELS

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_MATMUL_H_
