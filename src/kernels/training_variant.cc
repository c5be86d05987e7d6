#include "kernels/training_variant.h"

#include "kernels/isa.h"

namespace jikji::kernels {

const TrainingVariant& ActiveTrainingVariant() {
#if defined(__x86_64__)
  switch (ActiveIsa()) {
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
      return kTrainingAvx512;
    case Isa::kAvx2:
      return kTrainingAvx2;
    case Isa::kPortable:
      break;
  }
#endif
  return kTrainingPortable;
}

}  // namespace jikji::kernels
