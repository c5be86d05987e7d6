#if defined(__x86_64__)

#include "kernels/simd_avx2.h"
#include "kernels/training_simd.h"

namespace jikji::kernels {

const TrainingVariant kTrainingAvx2 = TrainingSimd<SimdAvx2>::Variant();

}  // namespace jikji::kernels

#endif
