#include "kernels/pointwise_simd.h"
#include "kernels/simd_portable.h"

namespace jikji::kernels {

const PointwiseVariant kPointwisePortable = PointwiseSimd<SimdPortable>::Variant();

}  // namespace jikji::kernels
