// EXAONE 4.0: norms after attention and MLP instead of before, norms on queries and keys; in the
// hybrid size (32B) most layers see a window, and those that see everything have no position.
#include <fmt/format.h>

#include "model/families/common.h"

namespace jikji {
namespace {

constexpr std::string_view kNames[] = {"exaone4"};

constexpr RoleName kTensorNames[] = {
    {TensorRole::kAttentionPostNorm, "post_attention_layernorm.weight"},
    {TensorRole::kMlpPostNorm, "post_feedforward_layernorm.weight"},
};

void SetNorms(DecoderSpec& spec) {
  spec.pre_norm = false;
  spec.post_norm = true;
  spec.qk_norm = true;
}

// With a window set, the layers without one are global and carry no rotary embedding.
void DropRopeOfGlobalLayers(DecoderSpec& spec) {
  for (LayerSpec& layer : spec.layers) layer.rope = layer.window != 0;
}

// "LLLG", repeated, the last layer always global; or a number: every n-th layer is global.
Result<> ReadPattern(const ConfigFields& config, int64_t window, DecoderSpec& spec) {
  constexpr std::string_view kKey = "sliding_window_pattern";
  const size_t count = spec.layers.size();
  std::string pattern;
  if (config.IsString(kKey)) {
    JIKJI_ASSIGN(const auto given, config.FindString(kKey));
    pattern = given.value_or("");
    if (pattern.empty() || pattern.find_first_not_of("LG") != std::string::npos) {
      return config.Malformed(kKey, fmt::format("is \"{}\"; it must be made of L and G", pattern));
    }
  } else {
    JIKJI_ASSIGN(const int64_t period, config.IntOr(kKey, 4, 1, kMaxLayers));
    pattern.assign(static_cast<size_t>(period) - 1, 'L');
    pattern += 'G';
  }
  const bool last_is_global = config.IsString(kKey);
  for (size_t i = 0; i < count; ++i) {
    const bool local = pattern[i % pattern.size()] == 'L' && !(last_is_global && i + 1 == count);
    if (local) spec.layers[i].window = static_cast<int32_t>(window);
  }
  return {};
}

Result<> FromConfig(const ConfigFields& config, DecoderSpec& spec) {
  SetNorms(spec);
  JIKJI_ASSIGN(const int64_t window, config.IntOr("sliding_window", 0, 1, kMaxPosition));
  JIKJI_ASSIGN(const bool listed, ReadLayerTypes(config, window, spec));
  if (window == 0) return {};
  if (!listed) JIKJI_RETURN_IF_ERROR(ReadPattern(config, window, spec));
  DropRopeOfGlobalLayers(spec);
  return {};
}

Result<> FromGguf(const ConfigFields& keys, const Checkpoint&, DecoderSpec& spec) {
  SetNorms(spec);
  if (!keys.Has("attention.sliding_window")) return {};
  if (!keys.Has("attention.sliding_window_pattern")) {
    return keys.Malformed("attention.sliding_window_pattern",
                          "is missing: which layers have the window is not known");
  }
  JIKJI_RETURN_IF_ERROR(ReadGgufWindows(keys, spec));
  DropRopeOfGlobalLayers(spec);
  return {};
}

}  // namespace

extern const Family kExaone4;
const Family kExaone4 = {
    .name = "exaone4",
    .model_types = kNames,
    .architectures = kNames,
    .hugging_face_names = kTensorNames,
    .from_config = FromConfig,
    .from_gguf = FromGguf,
};

}  // namespace jikji
