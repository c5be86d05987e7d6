// The ways to merge tensors of one shape, as arithmetic on their values.
//
// Definitions are the papers', with mergekit's choices where they leave some: linear (Wortsman et
// al. 2022), slerp (Shoemake 1985) over the tensor as one vector, task arithmetic (Ilharco et al.
// 2023), TIES (Yadav et al. 2023), DARE (Yu et al. 2024). Sums are in double.
//
// Contract: the result depends on the values, the parameters and the seed alone. Non-goals: reading
// models (merge.h).
#ifndef JIKJI_ADAPT_MERGE_METHODS_H_
#define JIKJI_ADAPT_MERGE_METHODS_H_

#include <cstdint>
#include <span>
#include <vector>

namespace jikji {

// Σ weightᵢ · xᵢ, divided by Σ weightᵢ where `normalize`.
std::vector<float> MergeLinear(std::span<const std::vector<float>> x,
                               std::span<const double> weights, bool normalize);

// From `a` (t = 0) to `b` (t = 1) along the great circle; along the line where they point nearly
// the same way, or one is zero.
std::vector<float> MergeSlerp(std::span<const float> a, std::span<const float> b, double t);

// base + lambda · Σ weightᵢ · (xᵢ − base), of each difference only a part.
struct DifferenceMerge {
  enum class Keep {
    kAll,
    kLargest,  // the `density` share of largest magnitude (TIES)
    kRandom,   // each with probability `density`, and divided by it (DARE)
  };
  Keep keep = Keep::kAll;
  // Where the differences point both ways, only those that point the way of their sum count (TIES).
  bool elect_signs = false;
  bool normalize = false;  // divide by the sum of the weights that count
  double lambda = 1.0;
  uint64_t seed = 0;  // of kRandom
};
struct Difference {
  double weight = 1.0;
  double density = 1.0;
};
// `x` as many as `parts`.
std::vector<float> MergeDifferences(std::span<const float> base,
                                    std::span<const std::vector<float>> x,
                                    std::span<const Difference> parts, const DifferenceMerge& how);

// Whether value `index` of the tensor of that seed is kept by kRandom: 64 random bits of a counter
// (SplitMix64), so that it can be recomputed anywhere.
bool IsKeptAtRandom(uint64_t seed, uint64_t index, double density);

}  // namespace jikji

#endif  // JIKJI_ADAPT_MERGE_METHODS_H_
