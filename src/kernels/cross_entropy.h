// Softmax cross-entropy over logits, and its gradient in their place.
#ifndef JIKJI_KERNELS_CROSS_ENTROPY_H_
#define JIKJI_KERNELS_CROSS_ENTROPY_H_

#include <cstdint>
#include <span>

#include "base/thread_pool.h"

namespace jikji::kernels {

// losses[r] = −log softmax(logits[r])[targets[r]]; then logits[r] becomes factors[r] · (softmax −
// one-hot), the gradient of factors[r] · losses[r]. logits: [targets, cols]; targets in [0, cols).
void CrossEntropy(float* logits, int64_t cols, std::span<const int32_t> targets,
                  std::span<const float> factors, std::span<float> losses, ThreadPool& pool);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_CROSS_ENTROPY_H_
