// MatMul without instructions of its own: quantised blocks are spread to int8 once for a few
// tokens, then multiplied in integers.
#include <cstring>

#include "kernels/matmul_float_simd.h"
#include "kernels/matmul_quant_simd.h"
#include "kernels/matmul_variant.h"
#include "kernels/simd_portable.h"
#include "kernels/weight_panels.h"

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
constexpr int kQuantTokens = 8;

// One group of one token: column `token` of a tile.
struct GroupOfTile {
  int8_t quants[kGroup];
  float scale, scaled_sum;

  GroupOfTile(const int32_t* group, int token, int tokens) {
    for (int q = 0; q < kQuads; ++q) std::memcpy(quants + 4 * q, group + q * tokens + token, 4);
    scale = WordAsFloat(group[TileRows::kScale * tokens + token]);
    scaled_sum = WordAsFloat(group[TileRows::kScaledSum * tokens + token]);
  }
};

template <class Step>
void QuantPanels(const PanelRange& panels, const void* tile, int tokens, float* y, int64_t stride) {
  using Block = typename Step::Block;
  constexpr int kGroups = Block::kValues / kGroup;
  constexpr int kBlocks = Step::kColumns / Block::kValues;
  constexpr bool kMinimum = requires(const Block& block) { block.dmin; };
  for (int64_t r = 0; r < panels.rows; ++r) {
    const auto* steps =
        reinterpret_cast<const Step*>(panels.data + r / kPanelRows * panels.panel_bytes);
    const auto* at = static_cast<const int32_t*>(tile);
    float sum[kQuantTokens] = {};
    for (int64_t b = 0; b < panels.steps * kBlocks; ++b) {
      Spread spread;
      SpreadBlock(
          steps[b / kBlocks].Get(static_cast<int>(r % kPanelRows), static_cast<int>(b % kBlocks)),
          spread);
      for (int g = 0; g < kGroups; ++g, at += TileRows::kCount * tokens) {
        const int8_t* weights = spread.q + g * kGroup;
        for (int t = 0; t < tokens; ++t) {
          const GroupOfTile x(at, t, tokens);
          const float scaled =
              spread.scale[2 * g] * static_cast<float>(Dot16(weights, x.quants)) +
              spread.scale[2 * g + 1] * static_cast<float>(Dot16(weights + 16, x.quants + 16));
          sum[t] += x.scale * scaled;
          if constexpr (kMinimum) sum[t] -= spread.minimum[g] * x.scaled_sum;
        }
      }
    }
    for (int t = 0; t < tokens; ++t) y[t * stride + r] = sum[t];
  }
}

template <class Kind>
constexpr MultiplyPanels kFloat =
    ByTokens<SimdPortable::kFloatTokens, FloatKernels<SimdPortable, Kind>::template Of>;

MultiplyPanels Kernel(DType dtype) {
  using S = SimdPortable;
  switch (dtype) {
    case DType::kF32:
      return kFloat<F32Kind<S>>;
    case DType::kF16:
      return kFloat<F16Kind<S>>;
    case DType::kBF16:
      return kFloat<BF16Kind<S>>;
    case DType::kQ4_0:
      return QuantPanels<Q4_0Step>;
    case DType::kQ8_0:
      return QuantPanels<Q8_0Step>;
    case DType::kQ4_K:
      return QuantPanels<Q4_KStep>;
    case DType::kQ5_K:
      return QuantPanels<Q5_KStep>;
    case DType::kQ6_K:
      return QuantPanels<Q6_KStep>;
    case DType::kF8_E4M3:
      break;  // no type of weights
  }
  return nullptr;
}

}  // namespace

const MatMulVariant kMatMulPortable = {kQuantTokens, SimdPortable::kFloatTokens, Kernel,
                                       QuantiseTokenSimd<SimdPortable>};

}  // namespace jikji::kernels
