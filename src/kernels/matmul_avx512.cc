// MatMul with AVX-512 and VNNI.
#if defined(__x86_64__)

#include "kernels/matmul_simd.h"
#include "kernels/simd_avx512.h"

namespace jikji::kernels {

const MatMulVariant kMatMulAvx512 = MatMulSimd<SimdAvx512>();

}  // namespace jikji::kernels

#endif
