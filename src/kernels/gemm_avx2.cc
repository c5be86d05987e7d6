#if defined(__x86_64__)

#include "kernels/gemm_simd.h"
#include "kernels/simd_avx2.h"

namespace jikji::kernels {

// 12 sums, 2 vectors of B and a value of A: 15 of 16 registers.
const GemmVariant kGemmAvx2 = GemmSimd<SimdAvx2, 6, 2>::Variant();

}  // namespace jikji::kernels

#endif
