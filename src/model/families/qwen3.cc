// Qwen 3 (dense): norms on queries and keys, heads of 128 whatever the hidden size.
#include "model/families/common.h"

namespace jikji {

extern const Family kQwen3;

namespace {

constexpr std::string_view kNames[] = {"qwen3"};

Result<> FromConfig(const ConfigFields& config, DecoderSpec& spec) {
  spec.qk_norm = true;
  JIKJI_ASSIGN(spec.qkv_bias, config.BoolOr("attention_bias", false));
  spec.output_bias = spec.qkv_bias;
  return ReadQwenWindows(config, spec);
}

Result<> FromGguf(const ConfigFields& keys, const Checkpoint& checkpoint, DecoderSpec& spec) {
  spec.qk_norm = true;
  spec.qkv_bias = GgufHas(checkpoint, kQwen3, TensorRole::kQueryBias);
  spec.output_bias = GgufHas(checkpoint, kQwen3, TensorRole::kOutputBias);
  return ReadGgufWindows(keys, spec);
}

}  // namespace

const Family kQwen3 = {
    .name = "qwen3",
    .model_types = kNames,
    .architectures = kNames,
    .default_head_dim = 128,
    .from_config = FromConfig,
    .from_gguf = FromGguf,
};

}  // namespace jikji
