// The activations of one step: memory that grows to the largest step seen and is then reused.
#ifndef JIKJI_MODEL_DECODER_SCRATCH_H_
#define JIKJI_MODEL_DECODER_SCRATCH_H_

#include <cstdint>
#include <vector>

#include "model/decoder_spec.h"

namespace jikji {

struct DecoderScratch {
  std::vector<int32_t> positions;  // [tokens]
  std::vector<float> x;            // [tokens, hidden]: the residual stream
  std::vector<float> normed;       // [tokens, hidden]
  std::vector<float> query;        // [tokens, heads · head_dim]
  std::vector<float> key, value;   // [tokens, kv_heads · head_dim]
  std::vector<float> attended;     // [tokens, heads · head_dim]
  std::vector<float> gate, up;     // [tokens, intermediate]
  std::vector<float> added;        // [tokens, hidden]: what a half layer adds to x

  void Fit(const DecoderSpec& spec, int64_t tokens);

  // What Fit takes for that many tokens.
  static uint64_t Bytes(const DecoderSpec& spec, int64_t tokens);
};

}  // namespace jikji

#endif  // JIKJI_MODEL_DECODER_SCRATCH_H_
