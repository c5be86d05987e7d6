#include "model/families/common.h"

#include <fmt/format.h>

namespace jikji {
namespace {

// What sizes must have to do with each other; `key` names the culprit in each format.
Result<> CheckSizes(const ConfigFields& fields, const DecoderSpec& spec, std::string_view heads_key,
                    std::string_view kv_heads_key, std::string_view head_dim_key) {
  if (spec.heads % spec.kv_heads != 0) {
    return fields.Malformed(kv_heads_key,
                            fmt::format("is {}, which does not divide `{}` ({})", spec.kv_heads,
                                        fields.FullKey(heads_key), spec.heads));
  }
  if (spec.head_dim % 2 != 0) {
    return fields.Malformed(head_dim_key,
                            fmt::format("is {}; it must be even to be rotated", spec.head_dim));
  }
  return {};
}

// hidden / heads, for a configuration that gives no head size.
Result<int64_t> DefaultHeadDim(const ConfigFields& fields, const DecoderSpec& spec,
                               std::string_view heads_key) {
  if (spec.hidden % spec.heads != 0) {
    return fields.Malformed(heads_key, fmt::format("is {}, which does not divide the hidden size "
                                                   "({}), and no head size is given",
                                                   spec.heads, spec.hidden));
  }
  return spec.hidden / spec.heads;
}

Result<> RefuseGgufPart(const ConfigFields& keys, std::string_view key, std::string_view what) {
  JIKJI_ASSIGN(const double value, keys.NumberOr(key, 0, -1e30, 1e30));
  if (value != 0) return keys.Unsupported(key, what);
  return {};
}

}  // namespace

Result<DecoderSpec> ReadSharedConfig(const Family& family, const ConfigFields& config) {
  DecoderSpec spec;
  spec.family = family.name;
  if (config.Has("quantization_config")) {
    return config.Unsupported("quantization_config",
                              "is set: use the BF16 checkpoint, or a GGUF file of Q4_0, Q8_0, "
                              "Q4_K, Q5_K or Q6_K");
  }
  JIKJI_ASSIGN(const auto activation, config.FindString("hidden_act"));
  if (activation && *activation != "silu" && *activation != "swish") {
    return config.Unsupported("hidden_act",
                              fmt::format("is \"{}\"; only silu is supported", *activation));
  }
  JIKJI_ASSIGN(spec.hidden, config.Int("hidden_size", 1, kMaxHidden));
  JIKJI_ASSIGN(spec.intermediate, config.Int("intermediate_size", 1, kMaxIntermediate));
  JIKJI_ASSIGN(const int64_t layers, config.Int("num_hidden_layers", 1, kMaxLayers));
  JIKJI_ASSIGN(spec.heads, config.Int("num_attention_heads", 1, kMaxHeads));
  JIKJI_ASSIGN(spec.kv_heads, config.IntOr("num_key_value_heads", spec.heads, 1, kMaxHeads));
  JIKJI_ASSIGN(spec.head_dim, config.IntOr("head_dim", family.default_head_dim, 2, kMaxHeadDim));
  if (spec.head_dim == 0) {
    JIKJI_ASSIGN(spec.head_dim, DefaultHeadDim(config, spec, "num_attention_heads"));
  }
  JIKJI_RETURN_IF_ERROR(
      CheckSizes(config, spec, "num_attention_heads", "num_key_value_heads", "head_dim"));
  JIKJI_ASSIGN(spec.vocab, config.Int("vocab_size", 1, kMaxVocab));
  JIKJI_ASSIGN(spec.max_position, config.Int("max_position_embeddings", 1, kMaxPosition));
  JIKJI_ASSIGN(const double eps, config.NumberOr("rms_norm_eps", 1e-6, 1e-12, 1e-2));
  spec.norm_eps = static_cast<float>(eps);
  JIKJI_ASSIGN(spec.tied_head, config.BoolOr("tie_word_embeddings", false));
  spec.layers.resize(static_cast<size_t>(layers));
  JIKJI_ASSIGN(spec.rope, ReadRopeConfig(config, spec));
  return spec;
}

Result<DecoderSpec> ReadSharedGguf(const Family& family, const ConfigFields& keys,
                                   const Checkpoint& checkpoint) {
  DecoderSpec spec;
  spec.family = family.name;
  JIKJI_RETURN_IF_ERROR(
      RefuseGgufPart(keys, "expert_count", "is set: mixtures of experts are not supported"));
  JIKJI_ASSIGN(spec.hidden, keys.Int("embedding_length", 1, kMaxHidden));
  JIKJI_ASSIGN(spec.intermediate, keys.Int("feed_forward_length", 1, kMaxIntermediate));
  JIKJI_ASSIGN(const int64_t layers, keys.Int("block_count", 1, kMaxLayers));
  JIKJI_ASSIGN(spec.heads, keys.Int("attention.head_count", 1, kMaxHeads));
  JIKJI_ASSIGN(spec.kv_heads, keys.IntOr("attention.head_count_kv", spec.heads, 1, kMaxHeads));
  JIKJI_ASSIGN(spec.head_dim, keys.IntOr("attention.key_length", 0, 2, kMaxHeadDim));
  if (spec.head_dim == 0) {
    JIKJI_ASSIGN(spec.head_dim, DefaultHeadDim(keys, spec, "attention.head_count"));
  }
  JIKJI_RETURN_IF_ERROR(CheckSizes(keys, spec, "attention.head_count", "attention.head_count_kv",
                                   "attention.key_length"));
  JIKJI_ASSIGN(const int64_t value_length,
               keys.IntOr("attention.value_length", spec.head_dim, 1, kMaxHeadDim));
  if (value_length != spec.head_dim) {
    return keys.Unsupported("attention.value_length",
                            fmt::format("is {}, unlike the keys' {}", value_length, spec.head_dim));
  }
  JIKJI_ASSIGN(spec.max_position, keys.Int("context_length", 1, kMaxPosition));
  JIKJI_ASSIGN(const double eps, keys.Number("attention.layer_norm_rms_epsilon", 1e-12, 1e-2));
  spec.norm_eps = static_cast<float>(eps);

  // The embedding itself says how many tokens there are: `vocab_size` is not in every file.
  const std::string embedding =
      TensorName(family, CheckpointFormat::kGguf, TensorRole::kEmbedding, -1);
  const TensorView* tensor = checkpoint.Find(embedding);
  if (tensor == nullptr) {
    return Fail(ErrorCode::kMalformed, fmt::format("no tensor `{}`", embedding), keys.file());
  }
  spec.vocab = tensor->rows();
  if (spec.vocab > kMaxVocab) {
    return Fail(
        ErrorCode::kMalformed,
        fmt::format("`{}` has {} rows; at most {} are read", embedding, spec.vocab, kMaxVocab),
        keys.file());
  }
  JIKJI_ASSIGN(const int64_t vocab, keys.IntOr("vocab_size", spec.vocab, 1, kMaxVocab));
  if (vocab > spec.vocab) {
    return keys.Malformed("vocab_size", fmt::format("is {}, but `{}` has only {} rows", vocab,
                                                    embedding, spec.vocab));
  }
  spec.tied_head = checkpoint.Find(TensorName(family, CheckpointFormat::kGguf, TensorRole::kHead,
                                              -1)) == nullptr;
  spec.layers.resize(static_cast<size_t>(layers));
  JIKJI_ASSIGN(spec.rope, ReadRopeGguf(keys, checkpoint, spec));
  return spec;
}

Result<bool> ReadLayerTypes(const ConfigFields& config, int64_t window, DecoderSpec& spec) {
  JIKJI_ASSIGN(const auto types, config.FindStrings("layer_types"));
  if (!types) return false;
  if (types->size() != spec.layers.size()) {
    return config.Malformed("layer_types", fmt::format("has {} entries for {} layers",
                                                       types->size(), spec.layers.size()));
  }
  for (size_t i = 0; i < types->size(); ++i) {
    const std::string& type = (*types)[i];
    if (type == "full_attention") continue;
    if (type != "sliding_attention") {
      return config.Unsupported("layer_types",
                                fmt::format("has \"{}\" for layer {}; only full_attention and "
                                            "sliding_attention are supported",
                                            type, i));
    }
    if (window == 0) {
      return config.Malformed("layer_types",
                              fmt::format("gives layer {} a window, but none is set", i));
    }
    spec.layers[i].window = static_cast<int32_t>(window);
  }
  return true;
}

Result<> ReadQwenWindows(const ConfigFields& config, DecoderSpec& spec) {
  JIKJI_ASSIGN(const bool used, config.BoolOr("use_sliding_window", false));
  int64_t window = 0;
  if (used) {
    JIKJI_ASSIGN(window, config.IntOr("sliding_window", 0, 1, kMaxPosition));
  }
  JIKJI_ASSIGN(const bool listed, ReadLayerTypes(config, window, spec));
  if (listed) return {};
  JIKJI_ASSIGN(const int64_t first, config.IntOr("max_window_layers", 28, 0, kMaxLayers));
  for (size_t i = static_cast<size_t>(first); i < spec.layers.size(); ++i) {
    spec.layers[i].window = static_cast<int32_t>(window);
  }
  return {};
}

Result<> ReadGgufWindows(const ConfigFields& keys, DecoderSpec& spec) {
  constexpr std::string_view kWindow = "attention.sliding_window";
  constexpr std::string_view kPattern = "attention.sliding_window_pattern";
  JIKJI_ASSIGN(const int64_t window, keys.IntOr(kWindow, 0, 0, kMaxPosition));
  if (window == 0) return {};
  // Which layers: all, each by its own flag, or all but every n-th.
  std::vector<bool> windowed(spec.layers.size(), true);
  if (keys.IsList(kPattern)) {
    JIKJI_ASSIGN(const auto flags, keys.FindBools(kPattern));
    if (flags->size() != spec.layers.size()) {
      return keys.Malformed(
          kPattern, fmt::format("has {} entries for {} layers", flags->size(), spec.layers.size()));
    }
    windowed = *flags;
  } else if (keys.Has(kPattern)) {
    JIKJI_ASSIGN(const int64_t period, keys.Int(kPattern, 1, kMaxLayers));
    for (size_t i = 0; i < windowed.size(); ++i) {
      windowed[i] = (static_cast<int64_t>(i) + 1) % period != 0;
    }
  }
  for (size_t i = 0; i < windowed.size(); ++i) {
    if (windowed[i]) spec.layers[i].window = static_cast<int32_t>(window);
  }
  return {};
}

bool GgufHas(const Checkpoint& checkpoint, const Family& family, TensorRole role) {
  return checkpoint.Find(TensorName(family, CheckpointFormat::kGguf, role, 0)) != nullptr;
}

}  // namespace jikji
