// MatMul without instructions of its own: quantised blocks are spread to int8 once for a few
// tokens, then multiplied in integers.
#include <algorithm>
#include <cstring>

#include "kernels/matmul_float_simd.h"
#include "kernels/matmul_variant.h"
#include "kernels/simd_portable.h"
#include "tensor/quant/blocks.h"

namespace jikji::kernels {
namespace {

// A block as Σ over parts of 16 values: scale · q, less a minimum for each 32.
struct Spread {
  int8_t q[256];
  float scale[16];   // of each 16 values
  float minimum[8];  // of each 32 values; 0 but for Q4_K and Q5_K
};

void SpreadBlock(const Q8_0Block& block, Spread& out) {
  std::memcpy(out.q, block.qs, 32);
  out.scale[0] = out.scale[1] = F16ToF32(block.d);
}

void SpreadBlock(const Q4_0Block& block, Spread& out) {
  for (int i = 0; i < 16; ++i) {
    out.q[i] = static_cast<int8_t>((block.qs[i] & 15) - 8);
    out.q[i + 16] = static_cast<int8_t>((block.qs[i] >> 4) - 8);
  }
  out.scale[0] = out.scale[1] = F16ToF32(block.d);
}

template <class Block>
void SpreadScales(const Block& block, Spread& out) {
  const KScales k = UnpackKScales(block.scales);
  const float d = F16ToF32(block.d);
  const float dmin = F16ToF32(block.dmin);
  for (int g = 0; g < 8; ++g) {
    out.scale[2 * g] = out.scale[2 * g + 1] = d * static_cast<float>(k.scale[g]);
    out.minimum[g] = dmin * static_cast<float>(k.minimum[g]);
  }
}

void SpreadBlock(const Q4_KBlock& block, Spread& out) {
  SpreadScales(block, out);
  for (int pair = 0; pair < 4; ++pair) {
    for (int i = 0; i < 32; ++i) {
      out.q[64 * pair + i] = static_cast<int8_t>(block.qs[32 * pair + i] & 15);
      out.q[64 * pair + 32 + i] = static_cast<int8_t>(block.qs[32 * pair + i] >> 4);
    }
  }
}

void SpreadBlock(const Q5_KBlock& block, Spread& out) {
  SpreadScales(block, out);
  for (int pair = 0; pair < 4; ++pair) {
    for (int i = 0; i < 32; ++i) {
      const int high = block.qh[i] >> (2 * pair);
      out.q[64 * pair + i] =
          static_cast<int8_t>((block.qs[32 * pair + i] & 15) | ((high & 1) << 4));
      out.q[64 * pair + 32 + i] =
          static_cast<int8_t>((block.qs[32 * pair + i] >> 4) | ((high & 2) << 3));
    }
  }
}

void SpreadBlock(const Q6_KBlock& block, Spread& out) {
  for (int half = 0; half < 2; ++half) {
    for (int k = 0; k < 4; ++k) {
      const uint8_t* low = block.ql + 64 * half + 32 * (k % 2);
      const uint8_t* high = block.qh + 32 * half;
      for (int i = 0; i < 32; ++i) {
        const int q = ((low[i] >> (4 * (k / 2))) & 15) | (((high[i] >> (2 * k)) & 3) << 4);
        out.q[128 * half + 32 * k + i] = static_cast<int8_t>(q - 32);
      }
    }
  }
  const float d = F16ToF32(block.d);
  for (int g = 0; g < 16; ++g) out.scale[g] = d * static_cast<float>(block.scales[g]);
}

int32_t Dot16(const int8_t* a, const int8_t* b) {
  int32_t sum = 0;
  for (int i = 0; i < 16; ++i) sum += static_cast<int32_t>(a[i]) * b[i];
  return sum;
}

// Tokens that share one spreading of a block.
constexpr int64_t kTokens = 8;

template <class Block>
void QuantRows(const WeightRows& rows, const Activations& x, float* y, int64_t stride) {
  constexpr int64_t kGroups = Block::kValues / kGroup;
  constexpr bool kMinimum = requires(const Block& block) { block.dmin; };
  const int64_t blocks = x.cols / Block::kValues;
  for (int64_t first = 0; first < x.tokens; first += kTokens) {
    const int64_t tokens = std::min(kTokens, x.tokens - first);
    for (int64_t r = 0; r < rows.count; ++r) {
      float sum[kTokens] = {};
      for (int64_t b = 0; b < blocks; ++b) {
        Block block;
        std::memcpy(&block, rows.data + r * rows.row_bytes + b * sizeof(Block), sizeof(Block));
        Spread spread;
        SpreadBlock(block, spread);
        for (int64_t t = 0; t < tokens; ++t) {
          const int64_t group = (first + t) * x.groups + b * kGroups;
          for (int64_t g = 0; g < kGroups; ++g) {
            const int8_t* quants = x.quants + (group + g) * kGroup;
            const int8_t* weights = spread.q + g * kGroup;
            const float scaled =
                spread.scale[2 * g] * static_cast<float>(Dot16(weights, quants)) +
                spread.scale[2 * g + 1] * static_cast<float>(Dot16(weights + 16, quants + 16));
            sum[t] += x.scales[group + g] * scaled;
            if constexpr (kMinimum) sum[t] -= spread.minimum[g] * x.sums[group + g];
          }
        }
      }
      for (int64_t t = 0; t < tokens; ++t) y[(first + t) * stride + r] = sum[t];
    }
  }
}

MatMulKernel Kernel(DType dtype) {
  using S = SimdPortable;
  switch (dtype) {
    case DType::kF32:
      return {FloatRows<S, F32Weights<S>>};
    case DType::kF16:
      return {FloatRows<S, F16Weights<S>>};
    case DType::kBF16:
      return {FloatRows<S, BF16Weights<S>>};
    case DType::kQ4_0:
      return {QuantRows<Q4_0Block>};
    case DType::kQ8_0:
      return {QuantRows<Q8_0Block>};
    case DType::kQ4_K:
      return {QuantRows<Q4_KBlock>};
    case DType::kQ5_K:
      return {QuantRows<Q5_KBlock>};
    case DType::kQ6_K:
      return {QuantRows<Q6_KBlock>};
  }
  return {};
}

void Quantise(const float* x, int64_t groups, uint8_t flip, int8_t* quants, float* scales,
              float* sums) {
  for (int64_t g = 0; g < groups; ++g) {
    SimdPortable::Quantise32(x + g * kGroup, flip, quants + g * kGroup, scales + g, sums + g);
  }
}

}  // namespace

const MatMulVariant kMatMulPortable = {Kernel, Quantise};

}  // namespace jikji::kernels
