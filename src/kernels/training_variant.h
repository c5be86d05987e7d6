// What an instruction set provides for the operations of training besides Gemm: each on some rows
// or values, on one thread.
#ifndef JIKJI_KERNELS_TRAINING_VARIANT_H_
#define JIKJI_KERNELS_TRAINING_VARIANT_H_

#include <cstdint>

namespace jikji::kernels {

struct AdamWFactors {
  float gradient = 1;  // the gradient is multiplied by it
  float decay = 1;     // the weight is multiplied by it
  float beta1 = 0, beta2 = 0;
  float step = 0;  // learning rate over the first moment's bias correction
  float root = 1;  // one over the root of the second moment's bias correction
  float eps = 0;
};

struct TrainingVariant {
  // d_x (+)= what d_y makes of x.
  void (*rms_norm_backward)(const float* x, int64_t rows, const float* weight, int64_t cols,
                            float eps, const float* d_y, float* d_x, bool accumulate);
  // sum[c] += Σ_r d_y[r, c] · x[r, c] · scale[r] for `cols` columns of rows `stride` apart; x and
  // scale may be nullptr, which stands for ones.
  void (*scaled_column_sums)(const float* d_y, const float* x, const float* scale, int64_t rows,
                             int64_t stride, int64_t cols, float* sum);
  void (*silu_multiply_backward)(const float* gate, const float* up, const float* d_out,
                                 int64_t count, float* d_gate, float* d_up);
  // values[0, count) to e^(factor · value − log-sum-exp), which is returned.
  float (*softmax)(float* values, int64_t count, float factor);
  // The same for a log-sum-exp that is known.
  void (*probabilities)(float* values, int64_t count, float factor, float log_sum_exp);
  // scores = p · (d_p − mean) · factor, in place of d_p.
  void (*softmax_backward)(const float* p, float* d_p, int64_t count, float mean, float factor);
  float (*dot)(const float* a, const float* b, int64_t count);
  void (*scale)(float* values, int64_t count, float factor);
  void (*adamw)(float* w, const float* gradient, float* m, float* v, int64_t count,
                const AdamWFactors& factors);
};

const TrainingVariant& ActiveTrainingVariant();

extern const TrainingVariant kTrainingPortable;
#if defined(__x86_64__)
extern const TrainingVariant kTrainingAvx2;
extern const TrainingVariant kTrainingAvx512;
#endif

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_TRAINING_VARIANT_H_
