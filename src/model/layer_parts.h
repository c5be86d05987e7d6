// A layer's parts by their roles, for everything that keeps something for each of them: weights to
// run (decoder_weights.h), weights to train, adapters.
//
// A layer is a struct with the members query, key, value, output, gate, up and down, each with a
// `bias` where there are vectors, and attention_norm to mlp_post_norm.
#ifndef JIKJI_MODEL_LAYER_PARTS_H_
#define JIKJI_MODEL_LAYER_PARTS_H_

#include "model/tensor_roles.h"

namespace jikji {

// nullptr where the role is no projection's matrix.
template <class Layer>
auto* ProjectionOf(Layer& layer, TensorRole role) {
  using enum TensorRole;
  using Projection = decltype(&layer.query);
  switch (role) {
    case kQuery:
      return &layer.query;
    case kKey:
      return &layer.key;
    case kValue:
      return &layer.value;
    case kOutput:
      return &layer.output;
    case kGate:
      return &layer.gate;
    case kUp:
      return &layer.up;
    case kDown:
      return &layer.down;
    default:
      return Projection{nullptr};
  }
}

// nullptr where the role is none of a layer's vectors.
template <class Layer>
auto* VectorOf(Layer& layer, TensorRole role) {
  using enum TensorRole;
  using Vector = decltype(&layer.attention_norm);
  switch (role) {
    case kAttentionNorm:
      return &layer.attention_norm;
    case kQueryBias:
      return &layer.query.bias;
    case kKeyBias:
      return &layer.key.bias;
    case kValueBias:
      return &layer.value.bias;
    case kOutputBias:
      return &layer.output.bias;
    case kQueryNorm:
      return &layer.query_norm;
    case kKeyNorm:
      return &layer.key_norm;
    case kAttentionPostNorm:
      return &layer.attention_post_norm;
    case kMlpNorm:
      return &layer.mlp_norm;
    case kGateBias:
      return &layer.gate.bias;
    case kUpBias:
      return &layer.up.bias;
    case kDownBias:
      return &layer.down.bias;
    case kMlpPostNorm:
      return &layer.mlp_post_norm;
    default:
      return Vector{nullptr};
  }
}

// Of all weights (`layers`, `final_norm`, `embedding`, `head`), where a vector is kept.
template <class Weights>
auto* VectorFor(Weights& weights, const TensorNeed& need) {
  if (need.role == TensorRole::kFinalNorm) return &weights.final_norm;
  return VectorOf(weights.layers[static_cast<size_t>(need.layer)], need.role);
}

// Where a matrix is kept; a projection has it as `weight`.
template <class Weights>
auto* MatrixFor(Weights& weights, const TensorNeed& need) {
  if (need.role == TensorRole::kEmbedding) return &weights.embedding;
  if (need.role == TensorRole::kHead) return &weights.head;
  return &ProjectionOf(weights.layers[static_cast<size_t>(need.layer)], need.role)->weight;
}

}  // namespace jikji

#endif  // JIKJI_MODEL_LAYER_PARTS_H_
