// Llama 1 to 3.x and what keeps its shape: Mistral, SOLAR, Kanana 1.5, HyperCLOVA X SEED 0.5B/1.5B.
#include "model/families/common.h"

namespace jikji {

extern const Family kLlama;

namespace {

constexpr std::string_view kModelTypes[] = {"llama", "mistral"};
constexpr std::string_view kArchitectures[] = {"llama"};

Result<> FromConfig(const ConfigFields& config, DecoderSpec& spec) {
  JIKJI_ASSIGN(const auto type, config.FindString("model_type"));
  if (type == "mistral") {
    JIKJI_ASSIGN(const int64_t window, config.IntOr("sliding_window", 0, 1, kMaxPosition));
    for (LayerSpec& layer : spec.layers) layer.window = static_cast<int32_t>(window);
    return {};
  }
  JIKJI_ASSIGN(spec.qkv_bias, config.BoolOr("attention_bias", false));
  spec.output_bias = spec.qkv_bias;
  JIKJI_ASSIGN(spec.mlp_bias, config.BoolOr("mlp_bias", false));
  return {};
}

Result<> FromGguf(const ConfigFields& keys, const Checkpoint& checkpoint, DecoderSpec& spec) {
  spec.qkv_bias = GgufHas(checkpoint, kLlama, TensorRole::kQueryBias);
  spec.output_bias = GgufHas(checkpoint, kLlama, TensorRole::kOutputBias);
  spec.mlp_bias = GgufHas(checkpoint, kLlama, TensorRole::kGateBias);
  return ReadGgufWindows(keys, spec);
}

}  // namespace

const Family kLlama = {
    .name = "llama",
    .model_types = kModelTypes,
    .architectures = kArchitectures,
    .interleaved_in_gguf = true,
    .from_config = FromConfig,
    .from_gguf = FromGguf,
};

}  // namespace jikji
