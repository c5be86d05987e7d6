// MatMul of BF16 weights with products of BF16 pairs, which are twice as many as those of f32.
//
// Contract (promise 1): each y[t, r] is one chain over the pairs of columns in ascending order.
#if defined(__x86_64__)

#include <cstring>

#include "kernels/avx512_intrinsics.h"
#include "kernels/panel_tiles_simd.h"

namespace jikji::kernels {
namespace {

constexpr int kTokens = 12;  // of the largest tile: two panels' accumulators in 24 of 32 registers

struct Simd {
  static constexpr int kLanes = 16;
  using F = __m512;
  static void Store(float* to, F v) { _mm512_storeu_ps(to, v); }
  static void StorePart(float* to, int64_t lanes, F v) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << lanes) - 1), v);
  }
};

// As assembly, since Clang 16 crashes on the intrinsics' vectors of __bf16.
[[gnu::always_inline]] inline void AddPairs(__m512& sum, __m512i weights, __m512i x) {
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(x));
}
[[gnu::always_inline]] inline __m256i Round(__m512 values) {
  __m256i rounded;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(values));
  return rounded;
}

template <int kPanels, int kTileTokens>
void PairRows(const PanelRange& panels, int64_t panel, const int32_t* tile, float* y,
              int64_t stride) {
  using Step = PlainStep<BF16Block>;
  __m512 sum[kPanels][kTileTokens];
  const Step* steps[kPanels];
  Unrolled<0, kPanels>([&]<int kPanel>() __attribute__((always_inline)) {
    steps[kPanel] =
        reinterpret_cast<const Step*>(panels.data + (panel + kPanel) * panels.panel_bytes);
    Unrolled<0, kTileTokens>([&]<int kToken>() __attribute__((always_inline)) {
      sum[kPanel][kToken] = _mm512_setzero_ps();
    });
  });
  for (int64_t s = 0; s < panels.steps; ++s, tile += kTileTokens) {
    __m512i weights[kPanels];
    Unrolled<0, kPanels>([&]<int kPanel>() __attribute__((always_inline)) {
      weights[kPanel] = _mm512_loadu_si512(&steps[kPanel][s]);
    });
    Unrolled<0, kTileTokens>([&]<int kToken>() __attribute__((always_inline)) {
      const __m512i x = _mm512_set1_epi32(tile[kToken]);
      Unrolled<0, kPanels>([&]<int kPanel>() __attribute__((always_inline)) {
        AddPairs(sum[kPanel][kToken], weights[kPanel], x);
      });
    });
  }
  StoreTile<Simd, kPanels, 1, kTileTokens>(sum, panels, panel, 0, y, stride);
}

template <int kTileTokens>
struct PairKernel {
  static void Run(const PanelRange& panels, const void* tile, float* y, int64_t stride) {
    // One token takes more panels at a time, so that a product need not wait for the one before.
    constexpr int kPanels = kTileTokens <= 2 ? 8 / kTileTokens : 2;
    const auto* x = static_cast<const int32_t*>(tile);
    int64_t p = 0;
    for (; p + kPanels <= panels.count; p += kPanels) {
      PairRows<kPanels, kTileTokens>(panels, p, x, y, stride);
    }
    for (; p < panels.count; ++p) PairRows<1, kTileTokens>(panels, p, x, y, stride);
  }
};

void RoundToken(const float* x, int64_t cols, int32_t* tile, int token, int tokens) {
  for (int64_t c = 0; c < cols; c += 16) {
    const int64_t count = cols - c < 16 ? cols - c : 16;
    const auto mask = static_cast<__mmask16>((1u << count) - 1);
    alignas(32) int32_t pairs[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs),
                       Round(_mm512_maskz_loadu_ps(mask, x + c)));
    for (int64_t i = 0; i < (count + 1) / 2; ++i) tile[(c / 2 + i) * tokens + token] = pairs[i];
  }
}

}  // namespace

static_assert(sizeof(PlainStep<BF16Block>) == 64);

const MatMulBF16 kMatMulBF16Avx512 = {
    .tokens = kTokens, .kernel = ByTokens<kTokens, PairKernel>, .pack = RoundToken};

}  // namespace jikji::kernels

#endif
