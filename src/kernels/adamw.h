// AdamW (Loshchilov & Hutter 2019), and the norm that gradients are clipped by.
#ifndef JIKJI_KERNELS_ADAMW_H_
#define JIKJI_KERNELS_ADAMW_H_

#include <cstdint>
#include <span>

#include "base/thread_pool.h"

namespace jikji::kernels {

struct AdamWOptions {
  float learning_rate = 0;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float weight_decay = 0;
};

// Step `step` (from 1) for one tensor: the gradient is multiplied by `factor` first. All four are
// of one size.
void AdamW(std::span<float> w, std::span<const float> gradient, std::span<float> m,
           std::span<float> v, const AdamWOptions& options, int64_t step, float factor,
           ThreadPool& pool);

// Σ values², the same bits whatever the threads.
double SumOfSquares(std::span<const float> values, ThreadPool& pool);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ADAMW_H_
