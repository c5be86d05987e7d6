// The operations of training for any instruction set. Whole vectors and the rest of a row go
// through the same lane operations.
#ifndef JIKJI_KERNELS_TRAINING_SIMD_H_
#define JIKJI_KERNELS_TRAINING_SIMD_H_

#include <cstdint>

#include "kernels/exp_simd.h"
#include "kernels/training_variant.h"

namespace jikji::kernels {

template <class S>
struct TrainingSimd {
  using F = typename S::F;

  // body(load, store) for each vector of `count` values, where load(p) gives the lanes of p and
  // store(p, v) writes them. Lanes past the end load as zero and are not stored.
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

  // With s = 1 / sqrt(mean(x²) + eps) and g = d_y · weight: d_x = s · g − x · s³ · mean(g · x).
  static void RmsNormBackward(const float* x, int64_t rows, const float* weight, int64_t cols,
                              float eps, const float* d_y, float* d_x, bool accumulate) {
    for (int64_t r = 0; r < rows; ++r, x += cols, d_y += cols, d_x += cols) {
      F squares = S::Zero();
      F products = S::Zero();
      ForEach(cols, [&](auto load, auto) {
        const F v = load(x);
        squares = S::Fma(v, v, squares);
        products = S::Fma(S::Mul(load(d_y), load(weight)), v, products);
      });
      const auto width = static_cast<float>(cols);
      const float s = 1.0f / __builtin_sqrtf(S::Reduce(squares) / width + eps);
      const F s_lanes = S::Set1(s);
      const F back = S::Set1(s * s * s * (S::Reduce(products) / width));
      ForEach(cols, [&](auto load, auto store) {
        const F g = S::Mul(load(d_y), load(weight));
        const F d = S::Fnma(load(x), back, S::Mul(g, s_lanes));
        store(d_x, accumulate ? S::Add(load(d_x), d) : d);
      });
    }
  }

  static void ScaledColumnSums(const float* d_y, const float* x, const float* scale, int64_t rows,
                               int64_t stride, int64_t cols, float* sum) {
    const auto column = [&](auto load, auto store) {
      F total = S::Zero();
      for (int64_t r = 0; r < rows; ++r) {
        const F d = load(d_y + r * stride);
        const F factor = S::Set1(scale == nullptr ? 1.0f : scale[r]);
        total = x == nullptr ? S::Fma(d, factor, total)
                             : S::Fma(S::Mul(d, load(x + r * stride)), factor, total);
      }
      store(sum, S::Add(load(sum), total));
    };
    ForEach(cols, column);
  }

  // silu(g) = g · σ(g); its derivative is σ(g) · (1 + g · (1 − σ(g))).
  static void SiluMultiplyBackward(const float* gate, const float* up, const float* d_out,
                                   int64_t count, float* d_gate, float* d_up) {
    const F one = S::Set1(1.0f);
    ForEach(count, [&](auto load, auto store) {
      const F g = load(gate);
      const F u = load(up);
      const F d = load(d_out);
      const F sigmoid = S::Div(one, S::Add(one, Exp<S>(S::Sub(S::Zero(), g))));
      const F slope = S::Mul(sigmoid, S::Fma(g, S::Sub(one, sigmoid), one));
      store(d_gate, S::Mul(S::Mul(d, u), slope));
      store(d_up, S::Mul(d, S::Mul(g, sigmoid)));
    });
  }

  static float Maximum(const float* values, int64_t count) {
    F lanes = S::Set1(values[0]);
    int64_t i = 0;
    for (; i + S::kLanes <= count; i += S::kLanes) lanes = S::Max(S::Load(values + i), lanes);
    float each[S::kLanes];
    S::Store(each, lanes);
    float maximum = each[0];
    for (const float v : each) maximum = maximum < v ? v : maximum;
    for (; i < count; ++i) maximum = maximum < values[i] ? values[i] : maximum;
    return maximum;
  }

  // values to e^(value · factor − top), none of which is above 0 but by rounding; their sum.
  static F Exponentials(float* values, int64_t count, F factor, F top) {
    constexpr int kTogether = 4;
    constexpr int64_t kStep = kTogether * S::kLanes;
    F sum = S::Zero();
    int64_t i = 0;
    for (; i + kStep <= count; i += kStep) {
      F each[kTogether];
      for (int v = 0; v < kTogether; ++v) {
        each[v] = S::Sub(S::Mul(S::Load(values + i + v * S::kLanes), factor), top);
      }
      ExpEach<S, kTogether, true>(each);
      for (int v = 0; v < kTogether; ++v) {
        S::Store(values + i + v * S::kLanes, each[v]);
        sum = S::Add(sum, each[v]);
      }
    }
    ForEach(count - i, [&](auto load, auto store) {
      F each[1] = {S::Sub(S::Mul(load(values + i), factor), top)};
      ExpEach<S, 1, true>(each);
      store(values + i, each[0]);
      sum = S::Add(sum, load(values + i));  // lanes past the end are zero again
    });
    return sum;
  }

  // The factor is positive.
  static float Softmax(float* values, int64_t count, float factor) {
    const float maximum = Maximum(values, count) * factor;
    double total = 0.0;
    constexpr int64_t kBlock = 1024;  // few enough terms for f32 sums
    for (int64_t i = 0; i < count; i += kBlock) {
      const int64_t n = count - i < kBlock ? count - i : kBlock;
      const F sum = Exponentials(values + i, n, S::Set1(factor), S::Set1(maximum));
      total += static_cast<double>(S::Reduce(sum));
    }
    Scale(values, count, static_cast<float>(1.0 / total));
    return maximum + static_cast<float>(__builtin_log(total));
  }

  static void Probabilities(float* values, int64_t count, float factor, float log_sum_exp) {
    Exponentials(values, count, S::Set1(factor), S::Set1(log_sum_exp));
  }

  static void SoftmaxBackward(const float* p, float* d_p, int64_t count, float mean, float factor) {
    const F mean_lanes = S::Set1(mean);
    const F factor_lanes = S::Set1(factor);
    ForEach(count, [&](auto load, auto store) {
      store(d_p, S::Mul(S::Mul(load(p), S::Sub(load(d_p), mean_lanes)), factor_lanes));
    });
  }

  static float Dot(const float* a, const float* b, int64_t count) {
    F sum = S::Zero();
    ForEach(count, [&](auto load, auto) { sum = S::Fma(load(a), load(b), sum); });
    return S::Reduce(sum);
  }

  static void Scale(float* values, int64_t count, float factor) {
    const F lanes = S::Set1(factor);
    ForEach(count, [&](auto load, auto store) { store(values, S::Mul(load(values), lanes)); });
  }

  static void AdamW(float* w, const float* gradient, float* m, float* v, int64_t count,
                    const AdamWFactors& f) {
    for (int64_t i = 0; i < count; ++i) {
      const float g = gradient[i] * f.gradient;
      m[i] = f.beta1 * m[i] + (1.0f - f.beta1) * g;
      v[i] = f.beta2 * v[i] + (1.0f - f.beta2) * (g * g);
      w[i] = w[i] * f.decay - f.step * m[i] / (__builtin_sqrtf(v[i]) * f.root + f.eps);
    }
  }

  static constexpr TrainingVariant Variant() {
    return {RmsNormBackward,
            ScaledColumnSums,
            SiluMultiplyBackward,
            Softmax,
            Probabilities,
            SoftmaxBackward,
            Dot,
            Scale,
            AdamW};
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_TRAINING_SIMD_H_
