// A decoder's tensors, found by their roles, checked against the spec, ready to be multiplied.
#ifndef JIKJI_MODEL_DECODER_WEIGHTS_H_
#define JIKJI_MODEL_DECODER_WEIGHTS_H_

#include <functional>
#include <vector>

#include "base/error.h"
#include "kernels/matmul.h"
#include "model/decoder_spec.h"
#include "tensor/checkpoint.h"

namespace jikji {

// A matrix and its bias, which is empty where there is none.
struct Linear {
  kernels::WeightMatrix weight;
  std::vector<float> bias;
};

// Norms that the spec does not have are empty.
struct LayerWeights {
  std::vector<float> attention_norm, query_norm, key_norm, attention_post_norm;
  std::vector<float> mlp_norm, mlp_post_norm;
  Linear query, key, value, output;
  Linear gate, up, down;
};

struct DecoderWeights {
  kernels::WeightMatrix embedding, head;  // the same where the head is tied
  std::vector<float> final_norm;
  std::vector<LayerWeights> layers;
};

// Errors name the tensor that is missing, of another shape, or of no use to such a model: weights
// that the spec does not ask for would be left out of the sum without a word. What comes back holds
// copies: the checkpoint is not needed afterwards.
Result<DecoderWeights> LoadWeights(const Checkpoint& checkpoint, const DecoderSpec& spec,
                                   const std::function<void(double)>& progress);

}  // namespace jikji

#endif  // JIKJI_MODEL_DECODER_WEIGHTS_H_
