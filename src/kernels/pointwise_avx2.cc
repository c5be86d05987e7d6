#if defined(__x86_64__)

#include "kernels/pointwise_simd.h"
#include "kernels/simd_avx2.h"

namespace jikji::kernels {

const PointwiseVariant kPointwiseAvx2 = PointwiseSimd<SimdAvx2>::Variant();

}  // namespace jikji::kernels

#endif
