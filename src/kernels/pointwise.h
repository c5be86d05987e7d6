// The operations of a layer that work on rows: norms, rotary embedding, gated activation,
// additions. All f32, row-major.
//
// Contract (promise 1): a row's result depends on that row alone.
#ifndef JIKJI_KERNELS_POINTWISE_H_
#define JIKJI_KERNELS_POINTWISE_H_

#include <cstdint>
#include <span>

#include "base/thread_pool.h"

namespace jikji::kernels {

// y = x / sqrt(mean(x²) + eps) · weight, for each of `rows` rows of weight.size() values (Zhang &
// Sennrich 2019). y may be x.
void RmsNorm(const float* x, int64_t rows, std::span<const float> weight, float eps, float* y,
             ThreadPool& pool);

// Rotates the first 2·inv_freq.size() values of each head by position · inv_freq, pairing value i
// with i + inv_freq.size() (Su et al. 2021, halves as in GPT-NeoX), and multiplies cos and sin by
// `magnitude` (YaRN's attention factor). x: [rows, heads, head_dim], in place; positions: [rows].
void Rope(float* x, std::span<const int32_t> positions, int32_t heads, int32_t head_dim,
          std::span<const float> inv_freq, float magnitude, ThreadPool& pool);

// out = silu(gate) · up; all `count` values. out may be gate.
void SiluMultiply(const float* gate, const float* up, int64_t count, float* out, ThreadPool& pool);

// x += y, `count` values.
void Add(float* x, const float* y, int64_t count, ThreadPool& pool);

// Adds bias to each of `rows` rows of x.
void AddBias(float* x, int64_t rows, std::span<const float> bias, ThreadPool& pool);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_POINTWISE_H_
