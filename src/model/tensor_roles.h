// What each tensor of a decoder is for, the shape it must have, and what the formats call it.
#ifndef JIKJI_MODEL_TENSOR_ROLES_H_
#define JIKJI_MODEL_TENSOR_ROLES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/decoder_spec.h"

namespace jikji {

enum class TensorRole {
  kEmbedding,  // [vocab, hidden]
  kFinalNorm,  // [hidden]
  kHead,       // [vocab, hidden]; not there where the head is tied
  // Of each layer:
  kAttentionNorm,      // [hidden], before attention
  kQuery,              // [heads · head_dim, hidden]
  kKey,                // [kv_heads · head_dim, hidden]
  kValue,              // [kv_heads · head_dim, hidden]
  kOutput,             // [hidden, heads · head_dim]
  kQueryBias,          // [heads · head_dim]
  kKeyBias,            // [kv_heads · head_dim]
  kValueBias,          // [kv_heads · head_dim]
  kOutputBias,         // [hidden]
  kQueryNorm,          // [head_dim]
  kKeyNorm,            // [head_dim]
  kAttentionPostNorm,  // [hidden], after attention
  kMlpNorm,            // [hidden], before the MLP
  kGate,               // [intermediate, hidden]
  kUp,                 // [intermediate, hidden]
  kDown,               // [hidden, intermediate]
  kGateBias,           // [intermediate]
  kUpBias,             // [intermediate]
  kDownBias,           // [hidden]
  kMlpPostNorm,        // [hidden], after the MLP
};

struct TensorNeed {
  TensorRole role = TensorRole::kEmbedding;
  int32_t layer = -1;  // -1: of the whole model
  std::vector<int64_t> shape;
};

// Every tensor that a decoder of this spec has, in the order it is used.
std::vector<TensorNeed> TensorsOf(const DecoderSpec& spec);

// One role's name: whole, or after the layer's prefix.
struct RoleName {
  TensorRole role;
  std::string_view name;
};

// Names that most families share; a family lists those that it calls otherwise.
std::string_view HuggingFaceName(TensorRole role);
std::string_view GgufName(TensorRole role);

}  // namespace jikji

#endif  // JIKJI_MODEL_TENSOR_ROLES_H_
