// What a decoder-only transformer is, as data: the one decoder (decoder.h) runs whatever this
// describes.
//
// A family (families/) fills it from config.json or GGUF keys. A part that the decoder lacks
// becomes a field here.
#ifndef JIKJI_MODEL_DECODER_SPEC_H_
#define JIKJI_MODEL_DECODER_SPEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace jikji {

struct RopeSpec {
  enum class Scaling { kNone, kLinear, kLlama3, kYarn };
  Scaling scaling = Scaling::kNone;
  double theta = 10000.0;
  double factor = 1.0;                // linear, llama3, yarn
  double low_freq_factor = 1.0;       // llama3
  double high_freq_factor = 4.0;      // llama3
  int64_t original_max_position = 0;  // llama3, yarn
  double beta_fast = 32.0;            // yarn
  double beta_slow = 1.0;             // yarn
  bool truncate = true;               // yarn: the ramp begins and ends at whole dimensions
  double attention_factor = 0.0;      // yarn; 0: 0.1 ln(factor) + 1
  // Per-frequency divisors (GGUF `rope_freqs.weight`); if not empty they replace the scaling
  // formula.
  std::vector<float> divisors;
};

struct LayerSpec {
  bool rope = true;    // false: no position in this layer (NoPE)
  int32_t window = 0;  // sliding-window attention over so many positions; 0: all
};

struct DecoderSpec {
  std::string family;  // "llama", "qwen2", "qwen3", "exaone4", "hyperclovax"
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t vocab = 0;
  int64_t max_position = 0;  // context length in tokens
  float norm_eps = 1e-5f;
  bool tied_head = false;  // the head is the embedding
  // A half of a layer is x + residual_scale · post(f(pre(x))), with f attention or the MLP: each
  // norm is RMSNorm, or nothing. EXAONE 4 has only the second, HyperCLOVA X SEED Think both.
  bool pre_norm = true;
  bool post_norm = false;
  bool qk_norm = false;  // RMSNorm over head_dim on queries and keys, before RoPE
  bool qkv_bias = false;
  bool output_bias = false;  // of the attention's output projection
  bool mlp_bias = false;
  float embedding_scale = 1.0f;
  float residual_scale = 1.0f;
  float logit_scale = 1.0f;
  float attention_scale = 0.0f;  // of q · k; 0: 1 / √head_dim
  RopeSpec rope;
  std::vector<LayerSpec> layers;

  uint64_t KvBytesPerToken(DType dtype) const {
    const auto values = static_cast<uint64_t>(kv_heads * head_dim);
    const uint64_t scales =
        dtype == DType::kF8_E4M3 ? static_cast<uint64_t>(kv_heads) * kF8ScaleBytes : 0;
    return 2ull * layers.size() * (values / BlockValues(dtype) * BlockBytes(dtype) + scales);
  }
};

}  // namespace jikji

#endif  // JIKJI_MODEL_DECODER_SPEC_H_
