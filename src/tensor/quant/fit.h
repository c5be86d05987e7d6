// Fits of a few levels to a group of values: what the K-quants' packing is built on.
//
// Both try some spacings of the levels around the one that spans the group; for each they round the
// values to levels, solve weighted least squares for the scale that suits those levels, and keep
// the best. Large values weigh more, since they do in a product with activations: the weights are
// ggml's, so that its levels and ours hardly ever differ by more than one.
//
// Contract: the same bits on every processor; groups are of a multiple of four values, 32 at most.
#ifndef JIKJI_TENSOR_QUANT_FIT_H_
#define JIKJI_TENSOR_QUANT_FIT_H_

#include <span>

namespace jikji {

// x ≈ scale · q − minimum with 0 ≤ q ≤ top; scale ≥ 0 and minimum ≥ 0, as the formats ask.
struct AffineFit {
  float scale = 0;
  float minimum = 0;
};
AffineFit FitAffine(std::span<const float> x, int top);

// The scale of x ≈ scale · q with −half ≤ q < half; it may be negative.
float FitSymmetric(std::span<const float> x, int half);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_FIT_H_
