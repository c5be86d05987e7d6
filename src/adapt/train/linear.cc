#include "adapt/train/linear.h"

#include <algorithm>

#include "kernels/pointwise.h"
#include "kernels/pointwise_backward.h"

namespace jikji::train {
namespace {

// Kept by the thread that steps, for the next call.
std::vector<float>& Scratch(size_t which, int64_t count) {
  thread_local std::vector<float> kept[3];
  if (kept[which].size() < static_cast<size_t>(count)) {
    kept[which].resize(static_cast<size_t>(count));
  }
  return kept[which];
}

}  // namespace

void Linear::Product(const float* x, int64_t tokens, float* y, ThreadPool& pool) const {
  weight.Forward(x, tokens, y, false, pool);
  if (!adapter) return;
  const int64_t rank = adapter->a.rows();
  float* low = Scratch(0, tokens * rank).data();
  adapter->a.Forward(x, tokens, low, false, pool);
  kernels::Scale(low, tokens * rank, adapter->scale, pool);
  adapter->b.Forward(low, tokens, y, true, pool);
}

void Linear::Gains(std::vector<float>& gains, std::vector<float>& inverse, ThreadPool& pool) const {
  inverse.resize(static_cast<size_t>(weight.rows()));
  weight.SumNorms(adapter->a, adapter->b, adapter->scale, inverse.data(), pool);
  gains.assign(adapter->magnitude.value.begin(), adapter->magnitude.value.end());
  for (size_t r = 0; r < inverse.size(); ++r) {
    inverse[r] = 1.0f / inverse[r];
    gains[r] *= inverse[r];
  }
}

void Linear::Forward(const float* x, int64_t tokens, float* y, ThreadPool& pool) const {
  Product(x, tokens, y, pool);
  if (adapter && !adapter->magnitude.value.empty()) {
    std::vector<float> gains, inverse;
    Gains(gains, inverse, pool);
    kernels::ScaleColumns(y, tokens, gains, pool);
  }
  if (!bias.value.empty()) kernels::AddBias(y, tokens, bias.value, pool);
}

void Linear::Backward(const float* x, const float* d_y, int64_t tokens, float* d_x, bool accumulate,
                      ThreadPool& pool) const {
  if (!bias.gradient.empty()) kernels::AddBiasBackward(d_y, tokens, bias.gradient, pool);
  if (adapter && !adapter->magnitude.value.empty()) {
    // d m = Σ d_y · product / norm; the product's own gradient is d_y · m / norm.
    const int64_t values = tokens * weight.rows();
    float* product = Scratch(2, values).data();
    std::vector<float> gains, inverse;
    Gains(gains, inverse, pool);
    Product(x, tokens, product, pool);
    kernels::Multiply(product, d_y, values, pool);
    kernels::ScaleColumns(product, tokens, inverse, pool);
    kernels::AddBiasBackward(product, tokens, adapter->magnitude.gradient, pool);
    std::copy_n(d_y, values, product);
    kernels::ScaleColumns(product, tokens, gains, pool);
    d_y = product;
  }
  weight.BackwardWeight(x, d_y, tokens, pool);
  weight.BackwardInput(d_y, tokens, d_x, accumulate, pool);
  if (!adapter) return;
  const int64_t rank = adapter->a.rows();
  float* low = Scratch(0, tokens * rank).data();
  float* d_low = Scratch(1, tokens * rank).data();
  adapter->a.Forward(x, tokens, low, false, pool);
  kernels::Scale(low, tokens * rank, adapter->scale, pool);
  adapter->b.BackwardWeight(low, d_y, tokens, pool);
  adapter->b.BackwardInput(d_y, tokens, d_low, false, pool);
  kernels::Scale(d_low, tokens * rank, adapter->scale, pool);
  adapter->a.BackwardWeight(x, d_low, tokens, pool);
  adapter->a.BackwardInput(d_low, tokens, d_x, true, pool);
}

}  // namespace jikji::train
