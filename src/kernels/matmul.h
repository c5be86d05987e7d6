// Weights times activations: y[t, r] = Σ_c w[r, c] · x[t, c].
//
// Contract (promise 1): y[t, r] depends on row r of w and row t of x alone, bit for bit: not on how
// many rows x has, what else is multiplied in the call, how the work is tiled, or how many threads
// share it. Quantised weights are multiplied with activations quantised to int8 by groups of 32;
// F32, F16 and BF16 weights with f32 activations, accumulated in f32.
#ifndef JIKJI_KERNELS_MATMUL_H_
#define JIKJI_KERNELS_MATMUL_H_

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/weight_matrix.h"

namespace jikji::kernels {

// One product of a call: weights, and y: [tokens, weights->rows()].
struct MatMulOutput {
  const WeightMatrix* weights = nullptr;
  float* y = nullptr;
};

// Multiplies x: [tokens, cols] with each of `outputs`, whose weights all have `cols` columns: x is
// prepared once and the threads meet once. All row-major f32 without gaps; x and the results must
// not overlap.
void MatMul(std::span<const MatMulOutput> outputs, const float* x, int64_t tokens,
            ThreadPool& pool);

inline void MatMul(const WeightMatrix& w, const float* x, int64_t tokens, float* y,
                   ThreadPool& pool) {
  const MatMulOutput output{&w, y};
  MatMul(std::span(&output, 1), x, tokens, pool);
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_H_
