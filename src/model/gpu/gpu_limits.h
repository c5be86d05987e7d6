// What a step on a device may be at most, so that all memory is taken before the first one.
#ifndef JIKJI_MODEL_GPU_GPU_LIMITS_H_
#define JIKJI_MODEL_GPU_GPU_LIMITS_H_

#include <cstdint>

namespace jikji {

// Rows of logits that are multiplied and copied together: the memory for a whole step's would be
// gigabytes where a prompt is scored.
inline constexpr int32_t kGpuLogitRows = 64;

struct GpuLimits {
  int32_t rows = 0;    // tokens of a step
  int32_t slices = 0;  // of a step
  int32_t pages = 0;   // of one slice's sequence
  // All that will ever be added, and among them the largest rank, and the largest vocabulary where
  // it is more than the base's.
  int32_t adapters = 0;
  int32_t adapter_rank = 0;
  int64_t adapter_vocab = 0;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_LIMITS_H_
