// A decoder's tensors in a checkpoint, found by their roles and checked against the spec, before
// anything of them is copied: where each comes from, for whatever memory it is to go into.
#ifndef JIKJI_MODEL_WEIGHT_SOURCES_H_
#define JIKJI_MODEL_WEIGHT_SOURCES_H_

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "model/decoder_spec.h"
#include "model/tensor_roles.h"
#include "tensor/checkpoint.h"

namespace jikji {

struct WeightSource {
  TensorNeed need;
  const TensorView* tensor = nullptr;  // of the checkpoint
  // Which stored row becomes row i; empty: as they are stored.
  std::vector<int32_t> row_order;

  bool is_vector() const { return need.shape.size() == 1; }
};

// In the order of TensorsOf. Errors name the tensor that is missing, of another shape, or of no use
// to such a model: weights that the spec does not ask for would be left out of the sum without a
// word.
Result<std::vector<WeightSource>> FindWeights(const Checkpoint& checkpoint,
                                              const DecoderSpec& spec);

// A vector's values, in order.
Result<std::vector<float>> ReadVector(const WeightSource& source);

}  // namespace jikji

#endif  // JIKJI_MODEL_WEIGHT_SOURCES_H_
