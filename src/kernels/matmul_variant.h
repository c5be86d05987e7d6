// What an instruction set provides for MatMul; the driver (matmul.cc) shares the work out and calls
// it.
#ifndef JIKJI_KERNELS_MATMUL_VARIANT_H_
#define JIKJI_KERNELS_MATMUL_VARIANT_H_

#include <cstddef>
#include <cstdint>

#include "kernels/weight_panels.h"
#include "tensor/dtype.h"

namespace jikji::kernels {

// Activations are laid out in tiles of a few tokens, in the order in which a panel of weights
// meets them, so that a kernel reads them front to back.
//
// Float weights: f32 [columns, tokens], columns padded to an even number with zeros.
// BF16 weights, where BF16 is multiplied: [pairs of columns, tokens] words of two BF16, padded so.
// Quantised: for each group of 32 columns, padded to an even number of groups with zeros, these
// rows of [tokens] words of 32 bits:
struct TileRows {
  enum : int {
    kQuants = 0,      // kQuads rows: four int8 each
    kScale = kQuads,  // f32
    kLessSum,         // int32: −Σ quants
    kLessLower,       // of the first 16 columns
    kLessUpper,       // of the last 16
    kScaledSum,       // f32: scale · Σ quants
    kCount
  };
};

// Panels of weights that lie one after another, and where their results go: y[t · stride + r].
struct PanelRange {
  const std::byte* data = nullptr;
  int64_t panel_bytes = 0;
  int64_t count = 0;
  int64_t rows = 0;  // of these panels: fewer than 16 a panel only where the matrix ends
  int64_t steps = 0;
};

// y[t, r] for the tokens of a tile and the rows of the panels.
using MultiplyPanels = void (*)(const PanelRange& panels, const void* tile, int tokens, float* y,
                                int64_t stride);

// Quantises `groups` groups of one token, which is column `token` of a tile of `tokens`.
using QuantiseToken = void (*)(const float* x, int64_t groups, int32_t* tile, int token,
                               int tokens);

// Rounds the `cols` values of one token to BF16, to nearest, ties to even.
using PackToken = void (*)(const float* x, int64_t cols, int32_t* tile, int token, int tokens);

struct MatMulVariant {
  // Tokens of the largest tile, as registers allow.
  int quant_tokens = 0;
  int float_tokens = 0;
  MultiplyPanels (*kernel)(DType dtype);
  QuantiseToken quantise;
};

// BF16 weights times activations rounded to BF16.
struct MatMulBF16 {
  int tokens = 0;  // of the largest tile
  MultiplyPanels kernel;
  PackToken pack;
};

extern const MatMulVariant kMatMulPortable;
#if defined(__x86_64__)
extern const MatMulVariant kMatMulAvx2;
extern const MatMulVariant kMatMulAvx512;
extern const MatMulBF16 kMatMulBF16Avx512;
#endif

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_VARIANT_H_
