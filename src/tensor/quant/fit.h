// Fits of a few levels to a group of values: what the K-quants' packing is built on.
//
// Both try some spacings of the levels around the one that spans the group; for each they round the
// values to levels, solve weighted least squares for the scale that suits those levels, and keep
// the best. Large values weigh more, since they do in a product with activations. Weights,
// spacings, their order and the order of sums are ggml's, so that its blocks and ours are the same.
//
// Contract: the same bits on every processor.
#ifndef JIKJI_TENSOR_QUANT_FIT_H_
#define JIKJI_TENSOR_QUANT_FIT_H_

#include <array>
#include <cstddef>
#include <span>

namespace jikji {

// x ≈ scale · q − minimum with 0 ≤ q ≤ top; scale ≥ 0 and minimum ≥ 0, as the formats ask. The
// levels that were fitted are those nearest to (x − from) · per_value.
struct AffineFit {
  float scale = 0;
  float minimum = 0;
  float from = 0, per_value = 0;
};
// The highest level, and the spacings tried: tenths of a level more than span the group.
struct AffineTries {
  int top = 0;
  int first = 0, last = 0;
};
inline constexpr size_t kAffineGroup = 32;  // values of a group
inline constexpr size_t kAffineGroups = 4;  // fitted at once
// `x`: the groups one after the other.
std::array<AffineFit, kAffineGroups> FitAffine(std::span<const float> x, const AffineTries& tries);

// x ≈ scale · q with −half ≤ q < half; the scale may be negative. The levels that were fitted are
// those nearest to x · per_value.
struct SymmetricFit {
  float scale = 0;
  float per_value = 0;
};
inline constexpr size_t kSymmetricGroup = 16;
inline constexpr size_t kSymmetricGroups = 4;
std::array<SymmetricFit, kSymmetricGroups> FitSymmetric(std::span<const float> x, int half);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_FIT_H_
