// Two models' weights beside each other, tensor by tensor.
//
// A matrix whose bytes are the other's is the same; else their directions are compared: what was
// trained on from a model points where it points (cosine near 1), what was trained by itself does
// not (near 0). Contract: of a large matrix a fixed choice of rows is read; vectors are compared
// only by their bytes, since norms of any two models look alike.
#ifndef JIKJI_HUB_LINEAGE_COMPARE_H_
#define JIKJI_HUB_LINEAGE_COMPARE_H_

#include <cstddef>

#include "base/error.h"
#include "tensor/checkpoint.h"

namespace jikji::hub {

struct Comparison {
  size_t tensors = 0;  // of the model
  size_t same = 0;     // with the base's bytes
  // Share of the values of the model's matrices that stand in one of the base's name and direction.
  double alike = 0;
  double least_cosine = 1;  // of the matrices that both have
};

// Half of two models merged evenly is the least that is still made from one of them; two matrices
// of 1,000 values that have nothing to do with each other differ from 0 by 0.03.
inline constexpr double kAlikeCosine = 0.5;
// New words and heads may take a part that is in no base.
inline constexpr double kConsistentShare = 0.8;

Result<Comparison> CompareModels(const Checkpoint& model, const Checkpoint& base);

// Names, types, shapes and bytes.
bool SameWeights(const Checkpoint& a, const Checkpoint& b);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_LINEAGE_COMPARE_H_
