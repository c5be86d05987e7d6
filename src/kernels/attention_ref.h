// Attention as its definition says, in double: the oracle of the tests.
//
// Non-goals: speed.
#ifndef JIKJI_KERNELS_ATTENTION_REF_H_
#define JIKJI_KERNELS_ATTENTION_REF_H_

#include <vector>

#include "kernels/attention.h"

namespace jikji::kernels {

struct AttentionReference {
  double value = 0.0;      // Σ softmax · v
  double magnitude = 0.0;  // Σ softmax · |v|
  // The largest Σ |scale · q · k| of a position: what the scores' rounding errors scale with.
  double score_magnitude = 0.0;
  // The largest that a position's score may be off by since Q8_0 keys are multiplied by queries in
  // whole numbers: half a step of each group times Σ |k|.
  double query_loss = 0.0;
  int32_t positions = 0;
};

// For each value of `out` of Attention: [rows, heads, head_dim], rows being those of the slices.
std::vector<AttentionReference> AttentionRef(const KvPages& pages,
                                             std::span<const AttentionSlice> slices, const float* q,
                                             int32_t heads, float scale, int32_t window);

// Bounds |kernel − reference|. u = 2^-24. A score takes one rounding for scale · q and one for each
// dimension of the sum, or three for each 32 with Q8_0 keys, whose query_loss comes on top (and a
// little for the rounding of the step itself); that absolute error becomes the relative error of
// its weight, twice since the sum of weights has it too. e^x adds 4u (its own bound, exp_simd.h,
// with the rounding of x − maximum, at most 88 u), as do the rescalings once a block; the
// scale of a Q8_0 value is multiplied into its weight, once more; sums over positions add one
// rounding a position, in weights and in values.
double AttentionTolerance(const AttentionReference& reference, int32_t head_dim);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_REF_H_
