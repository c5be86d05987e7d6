// HyperCLOVA X SEED Think: Llama with norms before and after attention and MLP (peri-LN) and the
// scales of maximal-update parametrisation. The smaller SEED text models are plain Llama.
#include "model/families/common.h"

namespace jikji {
namespace {

constexpr std::string_view kModelTypes[] = {"hyperclovax"};
constexpr double kMaxScale = 1e4;

constexpr RoleName kTensorNames[] = {
    {TensorRole::kAttentionPostNorm, "post_norm1.weight"},
    {TensorRole::kMlpPostNorm, "post_norm2.weight"},
};

Result<> FromConfig(const ConfigFields& config, DecoderSpec& spec) {
  JIKJI_ASSIGN(spec.qkv_bias, config.BoolOr("attention_bias", false));
  spec.output_bias = spec.qkv_bias;
  JIKJI_ASSIGN(spec.mlp_bias, config.BoolOr("mlp_bias", false));
  JIKJI_ASSIGN(spec.post_norm, config.BoolOr("use_post_norm", true));
  const auto read = [&](std::string_view key, float& scale) -> Result<> {
    JIKJI_ASSIGN(const double value, config.NumberOr(key, scale, 1e-6, kMaxScale));
    scale = static_cast<float>(value);
    return {};
  };
  JIKJI_RETURN_IF_ERROR(read("embedding_multiplier", spec.embedding_scale));
  JIKJI_RETURN_IF_ERROR(read("residual_multiplier", spec.residual_scale));
  JIKJI_RETURN_IF_ERROR(read("attention_multiplier", spec.attention_scale));
  return read("logits_scaling", spec.logit_scale);  // a factor here, though Granite divides by it
}

}  // namespace

extern const Family kHyperClovaX;
const Family kHyperClovaX = {
    .name = "hyperclovax",
    .model_types = kModelTypes,
    .architectures = {},  // llama.cpp has no converter for it
    .hugging_face_names = kTensorNames,
    .from_config = FromConfig,
};

}  // namespace jikji
