#include "kernels/cross_entropy.h"

#include "kernels/training_variant.h"

namespace jikji::kernels {

void CrossEntropy(float* logits, int64_t cols, std::span<const int32_t> targets,
                  std::span<const float> factors, std::span<float> losses, ThreadPool& pool) {
  const TrainingVariant& variant = ActiveTrainingVariant();
  pool.ParallelFor(targets.size(), 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      float* row = logits + static_cast<int64_t>(r) * cols;
      const float at_target = row[targets[r]];
      losses[r] = variant.softmax(row, cols, 1.0f) - at_target;
      row[targets[r]] -= 1.0f;
      variant.scale(row, cols, factors[r]);
    }
  });
}

}  // namespace jikji::kernels
