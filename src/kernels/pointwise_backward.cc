#include "kernels/pointwise_backward.h"

#include <vector>

#include "kernels/pointwise.h"
#include "kernels/training_variant.h"

namespace jikji::kernels {
namespace {

// Values that one thread takes at a time: several microseconds' work.
constexpr int64_t kGrainValues = 1 << 13;

size_t RowGrain(int64_t cols) { return static_cast<size_t>(kGrainValues / cols + 1); }

// Columns that one thread sums at a time: a cache line of a row; or scatters, several.
constexpr int64_t kSummedColumns = 16, kScatteredColumns = 64;

// sum[c] += Σ_r d_y[r, c] · x[r, c] · scale[r]; x and scale may be nullptr.
void ColumnSums(const float* d_y, const float* x, const float* scale, int64_t rows, int64_t cols,
                float* sum, ThreadPool& pool) {
  const TrainingVariant& variant = ActiveTrainingVariant();
  pool.ParallelFor(static_cast<size_t>(cols), kSummedColumns, [&](size_t begin, size_t end) {
    variant.scaled_column_sums(d_y + begin, x == nullptr ? nullptr : x + begin, scale, rows, cols,
                               static_cast<int64_t>(end - begin), sum + begin);
  });
}

}  // namespace

void RmsNormBackward(const float* x, int64_t rows, std::span<const float> weight, float eps,
                     const float* d_y, float* d_x, bool accumulate, float* d_weight,
                     ThreadPool& pool) {
  if (rows <= 0) return;
  const TrainingVariant& variant = ActiveTrainingVariant();
  const auto cols = static_cast<int64_t>(weight.size());
  if (d_weight != nullptr) {  // before d_x, which may take d_y's place
    thread_local std::vector<float> kept;
    std::vector<float>& scale = kept;  // the caller's, whichever thread fills it below
    scale.resize(static_cast<size_t>(rows));
    pool.ParallelFor(static_cast<size_t>(rows), RowGrain(cols), [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) {
        const float* row = x + static_cast<int64_t>(r) * cols;
        const float mean = variant.dot(row, row, cols) / static_cast<float>(cols);
        scale[r] = 1.0f / __builtin_sqrtf(mean + eps);
      }
    });
    ColumnSums(d_y, x, scale.data(), rows, cols, d_weight, pool);
  }
  pool.ParallelFor(static_cast<size_t>(rows), RowGrain(cols), [&](size_t begin, size_t end) {
    const auto first = static_cast<int64_t>(begin) * cols;
    variant.rms_norm_backward(x + first, static_cast<int64_t>(end - begin), weight.data(), cols,
                              eps, d_y + first, d_x + first, accumulate);
  });
}

// A rotation's transpose is the rotation back.
void RopeBackward(float* d_x, std::span<const int32_t> positions, int32_t heads, int32_t head_dim,
                  std::span<const float> inv_freq, float magnitude, ThreadPool& pool) {
  std::vector<float> back(inv_freq.begin(), inv_freq.end());
  for (float& frequency : back) frequency = -frequency;
  Rope(d_x, positions, heads, head_dim, back, magnitude, pool);
}

void SiluMultiplyBackward(const float* gate, const float* up, const float* d_out, int64_t count,
                          float* d_gate, float* d_up, ThreadPool& pool) {
  if (count <= 0) return;
  const TrainingVariant& variant = ActiveTrainingVariant();
  pool.ParallelFor(static_cast<size_t>(count), kGrainValues, [&](size_t begin, size_t end) {
    variant.silu_multiply_backward(gate + begin, up + begin, d_out + begin,
                                   static_cast<int64_t>(end - begin), d_gate + begin, d_up + begin);
  });
}

void AddBiasBackward(const float* d_y, int64_t rows, std::span<float> d_bias, ThreadPool& pool) {
  ColumnSums(d_y, nullptr, nullptr, rows, static_cast<int64_t>(d_bias.size()), d_bias.data(), pool);
}

void GatherRowsBackward(const float* d_x, std::span<const int32_t> ids, int64_t cols, float factor,
                        float* d_w, ThreadPool& pool) {
  pool.ParallelFor(static_cast<size_t>(cols), kScatteredColumns, [&](size_t begin, size_t end) {
    for (size_t r = 0; r < ids.size(); ++r) {
      if (ids[r] < 0) continue;
      const float* from = d_x + static_cast<int64_t>(r) * cols;
      float* to = d_w + ids[r] * cols;
      for (size_t c = begin; c < end; ++c) to[c] += from[c] * factor;
    }
  });
}

void Scale(float* values, int64_t count, float factor, ThreadPool& pool) {
  if (factor == 1.0f || count <= 0) return;
  const TrainingVariant& variant = ActiveTrainingVariant();
  pool.ParallelFor(static_cast<size_t>(count), kGrainValues, [&](size_t begin, size_t end) {
    variant.scale(values + begin, static_cast<int64_t>(end - begin), factor);
  });
}

void Multiply(float* x, const float* y, int64_t count, ThreadPool& pool) {
  pool.ParallelFor(static_cast<size_t>(count), kGrainValues, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) x[i] *= y[i];
  });
}

void ScaleColumns(float* x, int64_t rows, std::span<const float> factors, ThreadPool& pool) {
  const auto cols = static_cast<int64_t>(factors.size());
  pool.ParallelFor(static_cast<size_t>(rows), RowGrain(cols), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      float* row = x + static_cast<int64_t>(r) * cols;
      for (int64_t c = 0; c < cols; ++c) row[c] *= factors[static_cast<size_t>(c)];
    }
  });
}

void RowNorms(const float* x, int64_t rows, int64_t cols, float* out, ThreadPool& pool) {
  const TrainingVariant& variant = ActiveTrainingVariant();
  pool.ParallelFor(static_cast<size_t>(rows), RowGrain(cols), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      const float* row = x + static_cast<int64_t>(r) * cols;
      out[r] = __builtin_sqrtf(variant.dot(row, row, cols));
    }
  });
}

}  // namespace jikji::kernels
