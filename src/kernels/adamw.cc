#include "kernels/adamw.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/training_variant.h"

namespace jikji::kernels {
namespace {

// Values that one thread takes at a time: several microseconds' work, and few enough for a sum in
// f32.
constexpr size_t kGrain = 4096;

}  // namespace

void AdamW(std::span<float> w, std::span<const float> gradient, std::span<float> m,
           std::span<float> v, const AdamWOptions& options, int64_t step, float factor,
           ThreadPool& pool) {
  const auto correction = [step](float beta) {
    return 1.0 - std::pow(static_cast<double>(beta), static_cast<double>(step));
  };
  const AdamWFactors factors{
      .gradient = factor,
      .decay = 1.0f - options.learning_rate * options.weight_decay,
      .beta1 = options.beta1,
      .beta2 = options.beta2,
      .step = static_cast<float>(options.learning_rate / correction(options.beta1)),
      .root = static_cast<float>(1.0 / std::sqrt(correction(options.beta2))),
      .eps = options.eps,
  };
  const TrainingVariant& variant = ActiveTrainingVariant();
  pool.ParallelFor(w.size(), kGrain, [&](size_t begin, size_t end) {
    variant.adamw(&w[begin], &gradient[begin], &m[begin], &v[begin],
                  static_cast<int64_t>(end - begin), factors);
  });
}

double SumOfSquares(std::span<const float> values, ThreadPool& pool) {
  const TrainingVariant& variant = ActiveTrainingVariant();
  std::vector<double> parts((values.size() + kGrain - 1) / kGrain);
  pool.ParallelFor(parts.size(), 4, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const auto part = values.subspan(i * kGrain, std::min(kGrain, values.size() - i * kGrain));
      parts[i] = static_cast<double>(
          variant.dot(part.data(), part.data(), static_cast<int64_t>(part.size())));
    }
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

}  // namespace jikji::kernels
