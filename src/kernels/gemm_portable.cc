#include "kernels/gemm_simd.h"
#include "kernels/simd_portable.h"

namespace jikji::kernels {

// 4 rows · 2 registers of sums, of the 16 that SSE2 has.
const GemmVariant kGemmPortable = GemmSimd<SimdPortable, 4, 1>::Variant();

}  // namespace jikji::kernels
