#if defined(__x86_64__)

#include "kernels/gemm_simd.h"
#include "kernels/simd_avx512.h"

namespace jikji::kernels {

// 24 sums, 2 vectors of B and values of A: below 32 registers; 14 loads for 24 multiply-adds.
const GemmVariant kGemmAvx512 = GemmSimd<SimdAvx512, 12, 2>::Variant();

}  // namespace jikji::kernels

#endif
