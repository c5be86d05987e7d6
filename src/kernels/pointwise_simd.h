// The pointwise operations for any instruction set. Whole vectors and the rest of a row go through
// the same lane operations, so that a value's place cannot change its bits.
#ifndef JIKJI_KERNELS_POINTWISE_SIMD_H_
#define JIKJI_KERNELS_POINTWISE_SIMD_H_

#include <cstdint>

#include "kernels/exp_simd.h"
#include "kernels/pointwise_variant.h"

namespace jikji::kernels {

template <class S>
struct PointwiseSimd {
  using F = typename S::F;

  // body(i, load, store) for each vector of `count` values, where load(p) gives the lanes at p + i
  // and store(p, v) writes them.
  template <class Body>
  static void ForEach(int64_t count, Body body) {
    int64_t i = 0;
    for (; i + S::kLanes <= count; i += S::kLanes) {
      body([i](const float* p) { return S::Load(p + i); },
           [i](float* p, F v) { S::Store(p + i, v); });
    }
    if (const int64_t rest = count - i; rest > 0) {
      body([i, rest](const float* p) { return S::LoadPart(p + i, rest); },
           [i, rest](float* p, F v) { S::StorePart(p + i, rest, v); });
    }
  }

  static void RmsNorm(const float* x, int64_t rows, const float* weight, int64_t cols, float eps,
                      float* y) {
    for (int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
      F squares = S::Zero();
      ForEach(cols, [&](auto load, auto) {
        const F v = load(x);
        squares = S::Fma(v, v, squares);
      });
      const float mean = S::Reduce(squares) / static_cast<float>(cols);
      const F scale = S::Set1(1.0f / __builtin_sqrtf(mean + eps));
      ForEach(cols, [&](auto load, auto store) {
        store(y, S::Mul(S::Mul(load(x), scale), load(weight)));
      });
    }
  }

  static void RopeRow(float* x, int32_t heads, int32_t head_dim, const float* cos, const float* sin,
                      int64_t half) {
    for (int32_t h = 0; h < heads; ++h, x += head_dim) {
      float* second = x + half;
      ForEach(half, [&](auto load, auto store) {
        const F a = load(x);
        const F b = load(second);
        const F c = load(cos);
        const F s = load(sin);
        store(x, S::Sub(S::Mul(a, c), S::Mul(b, s)));
        store(second, S::Add(S::Mul(b, c), S::Mul(a, s)));
      });
    }
  }

  static void SiluMultiply(const float* gate, const float* up, int64_t count, float* out) {
    const F one = S::Set1(1.0f);
    ForEach(count, [&](auto load, auto store) {
      const F g = load(gate);
      const F silu = S::Div(g, S::Add(one, Exp<S>(S::Sub(S::Zero(), g))));
      store(out, S::Mul(silu, load(up)));
    });
  }

  static void Add(float* x, const float* y, int64_t count) {
    ForEach(count, [&](auto load, auto store) { store(x, S::Add(load(x), load(y))); });
  }

  static constexpr PointwiseVariant Variant() { return {RmsNorm, RopeRow, SiluMultiply, Add}; }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_POINTWISE_SIMD_H_
