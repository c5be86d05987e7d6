#include "adapt/convert/hf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "adapt/convert/llama3_rope.h"

namespace jikji {
namespace {

namespace json = boost::json;

// The shortest decimal of an f32, so that 1e-05 does not become 9.99999974e-06.
double Decimal(float value) { return std::strtod(fmt::format("{}", value).c_str(), nullptr); }

const char* TorchName(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return "float16";
    case DType::kBF16:
      return "bfloat16";
    default:
      return "float32";
  }
}

int32_t WindowOf(const DecoderSpec& spec) {
  int32_t window = 0;
  for (const LayerSpec& layer : spec.layers) window = std::max(window, layer.window);
  return window;
}

Result<> PutRope(const DecoderSpec& spec, json::object& config) {
  RopeSpec rope = spec.rope;
  config["rope_theta"] = rope.theta;
  if (!rope.divisors.empty()) {
    const auto found = Llama3Parameters(rope, spec.head_dim);
    if (!found) {
      return Fail(ErrorCode::kUnsupported,
                  "`rope_freqs.weight` is of no Llama 3 scaling that config.json could describe");
    }
    rope = *found;
  }
  json::object scaling;
  switch (rope.scaling) {
    case RopeSpec::Scaling::kNone:
      return {};
    case RopeSpec::Scaling::kLinear:
      scaling = {{"rope_type", "linear"}, {"factor", rope.factor}};
      break;
    case RopeSpec::Scaling::kLlama3:
      scaling = {{"rope_type", "llama3"},
                 {"factor", rope.factor},
                 {"low_freq_factor", rope.low_freq_factor},
                 {"high_freq_factor", rope.high_freq_factor},
                 {"original_max_position_embeddings", rope.original_max_position}};
      break;
    case RopeSpec::Scaling::kYarn:
      scaling = {{"rope_type", "yarn"},
                 {"factor", rope.factor},
                 {"beta_fast", rope.beta_fast},
                 {"beta_slow", rope.beta_slow},
                 {"truncate", rope.truncate},
                 {"original_max_position_embeddings", rope.original_max_position}};
      if (rope.attention_factor != 0) scaling["attention_factor"] = rope.attention_factor;
      break;
  }
  config["rope_scaling"] = std::move(scaling);
  return {};
}

json::array LayerTypes(const DecoderSpec& spec) {
  json::array types;
  for (const LayerSpec& layer : spec.layers) {
    types.push_back(layer.window > 0 ? "sliding_attention" : "full_attention");
  }
  return types;
}

Result<> PutFamily(const DecoderSpec& spec, json::object& config) {
  const int32_t window = WindowOf(spec);
  const auto name = [&](const char* type, const char* architecture) {
    config["model_type"] = type;
    config["architectures"] = json::array{architecture};
  };
  if (spec.family == "llama") {
    const bool all = std::ranges::all_of(
        spec.layers, [&](const LayerSpec& layer) { return layer.window == window; });
    if (!all || (window > 0 && (spec.qkv_bias || spec.mlp_bias))) {
      return Fail(ErrorCode::kUnsupported,
                  "neither llama nor mistral has windows in some layers, or with biases");
    }
    if (window > 0) {
      name("mistral", "MistralForCausalLM");
      config["sliding_window"] = window;
      return {};
    }
    name("llama", "LlamaForCausalLM");
    config["attention_bias"] = spec.qkv_bias;
    config["mlp_bias"] = spec.mlp_bias;
    return {};
  }
  if (spec.family == "qwen2" || spec.family == "qwen3") {
    const bool second = spec.family == "qwen2";
    name(second ? "qwen2" : "qwen3", second ? "Qwen2ForCausalLM" : "Qwen3ForCausalLM");
    if (!second) config["attention_bias"] = spec.qkv_bias;
    config["use_sliding_window"] = window > 0;
    config["sliding_window"] = window > 0 ? json::value(window) : json::value(nullptr);
    config["layer_types"] = LayerTypes(spec);
    return {};
  }
  if (spec.family == "exaone4") {
    name("exaone4", "Exaone4ForCausalLM");
    config["sliding_window"] = window > 0 ? json::value(window) : json::value(nullptr);
    config["layer_types"] = LayerTypes(spec);
    return {};
  }
  return Fail(ErrorCode::kUnsupported,
              fmt::format("there is no config.json for the family `{}` here", spec.family));
}

}  // namespace

Result<json::object> ConfigOf(const DecoderSpec& spec, DType dtype) {
  json::object config;
  JIKJI_RETURN_IF_ERROR(PutFamily(spec, config));
  config["torch_dtype"] = TorchName(dtype);
  config["hidden_act"] = "silu";
  config["hidden_size"] = spec.hidden;
  config["intermediate_size"] = spec.intermediate;
  config["num_hidden_layers"] = spec.layers.size();
  config["num_attention_heads"] = spec.heads;
  config["num_key_value_heads"] = spec.kv_heads;
  config["head_dim"] = spec.head_dim;
  config["vocab_size"] = spec.vocab;
  config["max_position_embeddings"] = spec.max_position;
  config["rms_norm_eps"] = Decimal(spec.norm_eps);
  config["tie_word_embeddings"] = spec.tied_head;
  JIKJI_RETURN_IF_ERROR(PutRope(spec, config));
  return config;
}

}  // namespace jikji
