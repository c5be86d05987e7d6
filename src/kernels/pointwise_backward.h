// Gradients of the operations that work on rows (pointwise.h): norms, rotary embedding, gated
// activation, biases, embedding; and what else training does with rows. All f32, row-major.
//
// Contract: every sum over rows is added in order of the rows, so that the bits do not depend on
// the threads. What is a weight's gradient is added to what is there.
#ifndef JIKJI_KERNELS_POINTWISE_BACKWARD_H_
#define JIKJI_KERNELS_POINTWISE_BACKWARD_H_

#include <cstdint>
#include <span>

#include "base/thread_pool.h"

namespace jikji::kernels {

// Of y = RmsNorm(x): d_x = what d_y makes of it, or d_x += where `accumulate`; d_weight += too,
// unless it is nullptr. x, d_y, d_x: [rows, weight.size()]; d_x may be d_y.
void RmsNormBackward(const float* x, int64_t rows, std::span<const float> weight, float eps,
                     const float* d_y, float* d_x, bool accumulate, float* d_weight,
                     ThreadPool& pool);

// Of Rope: turns the gradient back, in place.
void RopeBackward(float* d_x, std::span<const int32_t> positions, int32_t heads, int32_t head_dim,
                  std::span<const float> inv_freq, float magnitude, ThreadPool& pool);

// Of SiluMultiply. d_gate and d_up may be d_out, gate and up.
void SiluMultiplyBackward(const float* gate, const float* up, const float* d_out, int64_t count,
                          float* d_gate, float* d_up, ThreadPool& pool);

// d_bias[c] += Σ_r d_y[r, c].
void AddBiasBackward(const float* d_y, int64_t rows, std::span<float> d_bias, ThreadPool& pool);

// Of GatherRows: d_w[ids[r], :] += d_x[r, :] · factor; where ids[r] is negative, nothing.
void GatherRowsBackward(const float* d_x, std::span<const int32_t> ids, int64_t cols, float factor,
                        float* d_w, ThreadPool& pool);

// values *= factor.
void Scale(float* values, int64_t count, float factor, ThreadPool& pool);

// x *= y, `count` values.
void Multiply(float* x, const float* y, int64_t count, ThreadPool& pool);

// Multiplies each of `rows` rows of x by `factors`, value by value.
void ScaleColumns(float* x, int64_t rows, std::span<const float> factors, ThreadPool& pool);

// out[r] = the square root of Σ_c x[r, c]².
void RowNorms(const float* x, int64_t rows, int64_t cols, float* out, ThreadPool& pool);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_POINTWISE_BACKWARD_H_
