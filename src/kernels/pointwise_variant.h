// What an instruction set provides for the pointwise operations: each on some rows or values, on
// one thread.
#ifndef JIKJI_KERNELS_POINTWISE_VARIANT_H_
#define JIKJI_KERNELS_POINTWISE_VARIANT_H_

#include <cstdint>

namespace jikji::kernels {

struct PointwiseVariant {
  void (*rms_norm)(const float* x, int64_t rows, const float* weight, int64_t cols, float eps,
                   float* y);
  // One row's heads; cos and sin: [half].
  void (*rope_row)(float* x, int32_t heads, int32_t head_dim, const float* cos, const float* sin,
                   int64_t half);
  void (*silu_multiply)(const float* gate, const float* up, int64_t count, float* out);
  void (*add)(float* x, const float* y, int64_t count);
};

extern const PointwiseVariant kPointwisePortable;
#if defined(__x86_64__)
extern const PointwiseVariant kPointwiseAvx2;
extern const PointwiseVariant kPointwiseAvx512;
#endif

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_POINTWISE_VARIANT_H_
