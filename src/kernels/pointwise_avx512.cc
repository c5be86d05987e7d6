#if defined(__x86_64__)

#include "kernels/pointwise_simd.h"
#include "kernels/simd_avx512.h"

namespace jikji::kernels {

const PointwiseVariant kPointwiseAvx512 = PointwiseSimd<SimdAvx512>::Variant();

}  // namespace jikji::kernels

#endif
