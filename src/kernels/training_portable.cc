#include "kernels/simd_portable.h"
#include "kernels/training_simd.h"

namespace jikji::kernels {

const TrainingVariant kTrainingPortable = TrainingSimd<SimdPortable>::Variant();

}  // namespace jikji::kernels
