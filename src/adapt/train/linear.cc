#include "adapt/train/linear.h"

#include "kernels/gemm.h"
#include "kernels/pointwise.h"
#include "kernels/pointwise_backward.h"

namespace jikji::train {
namespace {

// Kept by the thread that steps, for the next call.
std::vector<float>& Scratch(size_t which, int64_t count) {
  thread_local std::vector<float> kept[2];
  if (kept[which].size() < static_cast<size_t>(count)) {
    kept[which].resize(static_cast<size_t>(count));
  }
  return kept[which];
}

}  // namespace

void Linear::Forward(const float* x, int64_t tokens, float* y, ThreadPool& pool) const {
  weight.Forward(x, tokens, y, false, pool);
  if (adapter) {
    const int64_t rank = adapter->a.rows();
    float* low = Scratch(0, tokens * rank).data();
    adapter->a.Forward(x, tokens, low, false, pool);
    kernels::Scale(low, tokens * rank, adapter->scale, pool);
    adapter->b.Forward(low, tokens, y, true, pool);
  }
  if (!bias.value.empty()) kernels::AddBias(y, tokens, bias.value, pool);
}

void Linear::Backward(const float* x, const float* d_y, int64_t tokens, float* d_x, bool accumulate,
                      ThreadPool& pool) const {
  weight.BackwardWeight(x, d_y, tokens, pool);
  weight.BackwardInput(d_y, tokens, d_x, accumulate, pool);
  if (!bias.gradient.empty()) kernels::AddBiasBackward(d_y, tokens, bias.gradient, pool);
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
