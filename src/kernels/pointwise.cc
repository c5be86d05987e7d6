#include "kernels/pointwise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/isa.h"
#include "kernels/pointwise_variant.h"

namespace jikji::kernels {
namespace {

const PointwiseVariant& Variant() {
#if defined(__x86_64__)
  switch (ActiveIsa()) {
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
      return kPointwiseAvx512;
    case Isa::kAvx2:
      return kPointwiseAvx2;
    case Isa::kPortable:
      break;
  }
#endif
  return kPointwisePortable;
}

// Values that take a few microseconds, so that sharing them out pays.
constexpr int64_t kGrainValues = 8192;

size_t RowGrain(int64_t values_per_row) {
  return static_cast<size_t>(kGrainValues / std::max<int64_t>(values_per_row, 1) + 1);
}

// cos and sin of the rows of one call. Every layer of a forward pass asks for the same ones.
struct RopeTable {
  std::vector<int32_t> positions;
  std::vector<float> inv_freq;
  float magnitude = 0.0f;
  std::vector<float> cos, sin;  // [positions, inv_freq]

  void Fill(std::span<const int32_t> wanted_positions, std::span<const float> wanted_inv_freq,
            float wanted_magnitude, ThreadPool& pool) {
    if (std::ranges::equal(positions, wanted_positions) &&
        std::ranges::equal(inv_freq, wanted_inv_freq) && magnitude == wanted_magnitude) {
      return;
    }
    positions.assign(wanted_positions.begin(), wanted_positions.end());
    inv_freq.assign(wanted_inv_freq.begin(), wanted_inv_freq.end());
    magnitude = wanted_magnitude;
    const size_t half = inv_freq.size();
    cos.resize(positions.size() * half);
    sin.resize(positions.size() * half);
    // A sine and a cosine take about as long as 16 pointwise values.
    pool.ParallelFor(positions.size(), RowGrain(static_cast<int64_t>(half) * 16),
                     [&](size_t begin, size_t end) {
                       for (size_t r = begin; r < end; ++r) FillRow(r, half);
                     });
  }

  void FillRow(size_t row, size_t half) {
    for (size_t i = 0; i < half; ++i) {
      // In f32 throughout, as the models were trained.
      const float angle = static_cast<float>(positions[row]) * inv_freq[i];
      cos[row * half + i] = std::cos(angle) * magnitude;
      sin[row * half + i] = std::sin(angle) * magnitude;
    }
  }
};

}  // namespace

void RmsNorm(const float* x, int64_t rows, std::span<const float> weight, float eps, float* y,
             ThreadPool& pool) {
  if (rows <= 0) return;
  const PointwiseVariant& variant = Variant();
  const auto cols = static_cast<int64_t>(weight.size());
  pool.ParallelFor(static_cast<size_t>(rows), RowGrain(cols), [&](size_t begin, size_t end) {
    const auto first = static_cast<int64_t>(begin) * cols;
    variant.rms_norm(x + first, static_cast<int64_t>(end - begin), weight.data(), cols, eps,
                     y + first);
  });
}

void Rope(float* x, std::span<const int32_t> positions, int32_t heads, int32_t head_dim,
          std::span<const float> inv_freq, float magnitude, ThreadPool& pool) {
  const PointwiseVariant& variant = Variant();
  thread_local RopeTable cached;
  RopeTable& table = cached;  // the caller's, whichever thread reads it below
  table.Fill(positions, inv_freq, magnitude, pool);
  const size_t half = inv_freq.size();
  const int64_t row = static_cast<int64_t>(heads) * head_dim;
  pool.ParallelFor(positions.size(), RowGrain(row), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      variant.rope_row(x + static_cast<int64_t>(r) * row, heads, head_dim, &table.cos[r * half],
                       &table.sin[r * half], static_cast<int64_t>(half));
    }
  });
}

void SiluMultiply(const float* gate, const float* up, int64_t count, float* out, ThreadPool& pool) {
  if (count <= 0) return;
  const PointwiseVariant& variant = Variant();
  pool.ParallelFor(static_cast<size_t>(count), kGrainValues, [&](size_t begin, size_t end) {
    variant.silu_multiply(gate + begin, up + begin, static_cast<int64_t>(end - begin), out + begin);
  });
}

void Add(float* x, const float* y, int64_t count, ThreadPool& pool) {
  if (count <= 0) return;
  const PointwiseVariant& variant = Variant();
  pool.ParallelFor(static_cast<size_t>(count), kGrainValues, [&](size_t begin, size_t end) {
    variant.add(x + begin, y + begin, static_cast<int64_t>(end - begin));
  });
}

void AddBias(float* x, int64_t rows, std::span<const float> bias, ThreadPool& pool) {
  if (rows <= 0) return;
  const PointwiseVariant& variant = Variant();
  const auto cols = static_cast<int64_t>(bias.size());
  pool.ParallelFor(static_cast<size_t>(rows), RowGrain(cols), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      variant.add(x + static_cast<int64_t>(r) * cols, bias.data(), cols);
    }
  });
}

}  // namespace jikji::kernels
