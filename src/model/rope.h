// The frequencies of rotary embedding, from a RopeSpec: default, linear, llama3, YaRN.
#ifndef JIKJI_MODEL_ROPE_H_
#define JIKJI_MODEL_ROPE_H_

#include <cstdint>
#include <vector>

#include "model/decoder_spec.h"

namespace jikji {

struct RopeTable {
  std::vector<float> inv_freq;  // [head_dim / 2], radians per position
  float magnitude = 1.0f;       // of cos and sin
};

// As transformers' modeling_rope_utils computes them: in float32, operation by operation, since the
// models were trained with its roundings.
RopeTable MakeRopeTable(const RopeSpec& spec, int64_t head_dim);

}  // namespace jikji

#endif  // JIKJI_MODEL_ROPE_H_
