// The table of MatMul's kernels for an instruction set with vectors of int8.
#ifndef JIKJI_KERNELS_MATMUL_SIMD_H_
#define JIKJI_KERNELS_MATMUL_SIMD_H_

#include "kernels/matmul_float_simd.h"
#include "kernels/matmul_quant_simd.h"

namespace jikji::kernels {

template <class S>
MultiplyPanels MatMulKernelSimd(DType dtype) {
  constexpr int kQuant = S::kQuantTokens, kFloat = S::kFloatTokens;
  switch (dtype) {
    case DType::kF32:
      return ByTokens<kFloat, FloatKernels<S, F32Kind<S>>::template Of>;
    case DType::kF16:
      return ByTokens<kFloat, FloatKernels<S, F16Kind<S>>::template Of>;
    case DType::kBF16:
      return ByTokens<kFloat, FloatKernels<S, BF16Kind<S>>::template Of>;
    case DType::kQ4_0:
      return ByTokens<kQuant, QuantKernels<S, Q4_0Kind<S>>::template Of>;
    case DType::kQ8_0:
      return ByTokens<kQuant, QuantKernels<S, Q8_0Kind<S>>::template Of>;
    case DType::kQ4_K:
      return ByTokens<kQuant, QuantKernels<S, KKind<S, Q4_KStep>>::template Of>;
    case DType::kQ5_K:
      return ByTokens<kQuant, QuantKernels<S, KKind<S, Q5_KStep>>::template Of>;
    case DType::kQ6_K:
      return ByTokens<kQuant, QuantKernels<S, Q6_KKind<S>>::template Of>;
    case DType::kF8_E4M3:
      break;  // no type of weights
  }
  return nullptr;
}

template <class S>
constexpr MatMulVariant MatMulSimd() {
  return {.quant_tokens = S::kQuantTokens,
          .float_tokens = S::kFloatTokens,
          .kernel = MatMulKernelSimd<S>,
          .quantise = QuantiseTokenSimd<S>};
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_SIMD_H_
