// What an instruction set provides for MatMul; the driver (matmul.cc) shares the work out and calls
// it.
#ifndef JIKJI_KERNELS_MATMUL_VARIANT_H_
#define JIKJI_KERNELS_MATMUL_VARIANT_H_

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace jikji::kernels {

// Values of activations under one scale.
inline constexpr int64_t kGroup = 32;

// The activations of all tokens of a call. Float weights use `values`, quantised ones the rest,
// whose rows are padded with zeros to whole pairs of groups.
struct Activations {
  const float* values = nullptr;   // [tokens, cols]
  const int8_t* quants = nullptr;  // [tokens, groups · 32]
  const float* scales = nullptr;   // [tokens, groups]
  const float* sums = nullptr;     // [tokens, groups]: scale · Σ quants
  int64_t cols = 0;
  int64_t groups = 0;  // padded to an even number
  int64_t tokens = 0;
};

// Some rows of weights, and where their results go: y[t · stride + r].
struct WeightRows {
  const std::byte* data = nullptr;
  int64_t row_bytes = 0;
  int64_t count = 0;
};

// y[t, r] for all tokens of x and all rows.
using MatMulRows = void (*)(const WeightRows& rows, const Activations& x, float* y, int64_t stride);

// Quantises `groups` whole groups of x; `flip` is xor-ed into every quant.
using QuantiseGroups = void (*)(const float* x, int64_t groups, uint8_t flip, int8_t* quants,
                                float* scales, float* sums);

struct MatMulKernel {
  MatMulRows rows = nullptr;
  // 0x80 where the kernel takes activations as q + 128 in u8, as VNNI's mixed product wants them
  // with signed weights.
  uint8_t flip = 0;
};

struct MatMulVariant {
  MatMulKernel (*kernel)(DType dtype);
  QuantiseGroups quantise;
};

extern const MatMulVariant kMatMulPortable;
#if defined(__x86_64__)
extern const MatMulVariant kMatMulAvx2;
extern const MatMulVariant kMatMulAvx512;
#endif

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_VARIANT_H_
