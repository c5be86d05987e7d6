// MatMul with AVX2.
#if defined(__x86_64__)

#include "kernels/matmul_simd.h"
#include "kernels/simd_avx2.h"

namespace jikji::kernels {

const MatMulVariant kMatMulAvx2 = MatMulSimd<SimdAvx2>();

}  // namespace jikji::kernels

#endif
