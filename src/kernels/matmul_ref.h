// MatMul as its definition says, in double: the oracle of the tests.
//
// Non-goals: speed.
#ifndef JIKJI_KERNELS_MATMUL_REF_H_
#define JIKJI_KERNELS_MATMUL_REF_H_

#include <cstdint>
#include <vector>

#include "kernels/isa.h"
#include "tensor/tensor.h"

namespace jikji::kernels {

struct MatMulReference {
  double value = 0.0;      // Σ w · x
  double magnitude = 0.0;  // Σ of the absolute values of the terms: what rounding errors scale with
};

// [tokens, rows]. Minima of K-quants are terms of their own, as the kernels treat them.
std::vector<MatMulReference> MatMulRef(const TensorView& w, const float* x, int64_t tokens);

// x after quantising to int8 by groups of 32 and back: d = max|x| / 127, q = round(x · 127 /
// max|x|) in f32, ties to even. A group with a value that is not finite becomes NaN, one whose
// largest is below 2^-119 zero. cols is a multiple of 32.
std::vector<float> QuantiseRef(const float* x, int64_t tokens, int64_t cols);

// x as the kernel of an instruction set sees it: quantised; rounded to BF16; or as it is.
std::vector<float> ActivationsRef(DType weights, Isa isa, const std::vector<float>& x,
                                  int64_t cols);

// Bounds |kernel − Σ w · x| / magnitude for x as the kernel sees it. u = 2^-24 is the relative
// error of one rounding. Float weights: two chains of cols / 2 steps of at most two roundings, and
// their sum. Quantised: a group of 32 adds at most three terms to the chain, each made with at most
// eight roundings.
double MatMulTolerance(DType dtype, int64_t cols);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_REF_H_
