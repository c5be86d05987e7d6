#include "kernels/matmul_ref.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/weight_panels.h"
#include "tensor/quant/blocks.h"

namespace jikji::kernels {
namespace {

// Adds one block's terms.
template <class Block>
void AddBlock(const std::byte* from, const float* x, MatMulReference& out) {
  Block block;
  std::memcpy(&block, from, sizeof block);
  float values[Block::kValues];
  block.Unpack(values);
  for (uint32_t i = 0; i < Block::kValues; ++i) {
    const double term = static_cast<double>(values[i]) * x[i];
    out.value += term;
    double minimum = 0.0;
    if constexpr (requires { block.dmin; }) {
      minimum = static_cast<double>(F16ToF32(block.dmin)) *
                UnpackKScales(block.scales).minimum[i / 32] * x[i];
    }
    out.magnitude += std::abs(term) + 2 * std::abs(minimum);
  }
}

}  // namespace

std::vector<MatMulReference> MatMulRef(const TensorView& w, const float* x, int64_t tokens) {
  const int64_t rows = w.rows(), cols = w.cols();
  std::vector<MatMulReference> out(static_cast<size_t>(tokens * rows));
  VisitBlock(w.dtype, [&]<class Block>() {
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t r = 0; r < rows; ++r) {
        MatMulReference& sum = out[static_cast<size_t>(t * rows + r)];
        const std::byte* row = w.data.data() + r * cols / Block::kValues * sizeof(Block);
        for (int64_t c = 0; c < cols; c += Block::kValues) {
          AddBlock<Block>(row + c / Block::kValues * sizeof(Block), x + t * cols + c, sum);
        }
      }
    }
  });
  return out;
}

std::vector<float> QuantiseRef(const float* x, int64_t tokens, int64_t cols) {
  std::vector<float> out(x, x + tokens * cols);
  for (size_t group = 0; group < out.size(); group += 32) {
    float* values = &out[group];
    const bool finite = std::all_of(values, values + 32, [](float v) { return std::isfinite(v); });
    if (!finite) {
      std::fill_n(values, 32, std::numeric_limits<float>::quiet_NaN());
      continue;
    }
    float largest = 0.0f;
    for (int i = 0; i < 32; ++i) largest = std::max(largest, std::abs(values[i]));
    if (largest < 0x1p-119f) {
      std::fill_n(values, 32, 0.0f);
      continue;
    }
    const float d = largest / 127.0f;
    const float inverse = 127.0f / largest;
    for (int i = 0; i < 32; ++i) values[i] = std::nearbyint(values[i] * inverse) * d;
  }
  return out;
}

std::vector<float> ActivationsRef(DType weights, Isa isa, const std::vector<float>& x,
                                  int64_t cols) {
  if (IsQuantised(weights)) {
    return QuantiseRef(x.data(), static_cast<int64_t>(x.size()) / cols, cols);
  }
  std::vector<float> out = x;
  if (weights == DType::kBF16 && isa == Isa::kAvx512Bf16) {
    for (float& value : out) value = BF16ToF32(F32ToBF16(value));
  }
  return out;
}

double MatMulTolerance(DType dtype, int64_t cols) {
  const double steps = IsQuantised(dtype) ? static_cast<double>(cols) / kGroup * 3 + 8
                                          : static_cast<double>(cols) + 3;
  return steps * 0x1p-24;
}

}  // namespace jikji::kernels
