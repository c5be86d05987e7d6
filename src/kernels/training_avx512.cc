#if defined(__x86_64__)

#include "kernels/simd_avx512.h"
#include "kernels/training_simd.h"

namespace jikji::kernels {

const TrainingVariant kTrainingAvx512 = TrainingSimd<SimdAvx512>::Variant();

}  // namespace jikji::kernels

#endif
