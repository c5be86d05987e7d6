// Rotary embedding as config.json and GGUF describe it.
#include <fmt/format.h>

#include <cmath>

#include "model/families/common.h"

namespace jikji {
namespace {

// YaRN divides by ln(theta), so theta must be above 1; models use up to 1e9.
constexpr double kMinTheta = 1.001;
constexpr double kMaxTheta = 1e12;
constexpr double kMaxFactor = 1e6;

// 0.1 m ln(s) + 1: how YaRN makes attention sharper with the stretch (Peng et al. 2023, eq. 22).
double YarnMagnitude(double factor, double multiplier) {
  return factor <= 1 ? 1.0 : 0.1 * multiplier * std::log(factor) + 1.0;
}

Result<> ReadLlama3(const ConfigFields& rope, RopeSpec& out) {
  JIKJI_ASSIGN(out.factor, rope.Number("factor", 1, kMaxFactor));
  JIKJI_ASSIGN(out.low_freq_factor, rope.Number("low_freq_factor", 1e-6, kMaxFactor));
  JIKJI_ASSIGN(out.high_freq_factor, rope.Number("high_freq_factor", 1e-6, kMaxFactor));
  if (out.high_freq_factor <= out.low_freq_factor) {
    return rope.Malformed("high_freq_factor", "must be above low_freq_factor");
  }
  return {};
}

Result<> ReadYarn(const ConfigFields& rope, const DecoderSpec& spec, RopeSpec& out) {
  const double implied =
      static_cast<double>(spec.max_position) / static_cast<double>(out.original_max_position);
  JIKJI_ASSIGN(out.factor, rope.NumberOr("factor", implied, 1, kMaxFactor));
  JIKJI_ASSIGN(out.beta_fast, rope.NumberOr("beta_fast", out.beta_fast, 1e-6, kMaxFactor));
  JIKJI_ASSIGN(out.beta_slow, rope.NumberOr("beta_slow", out.beta_slow, 1e-6, kMaxFactor));
  JIKJI_ASSIGN(out.truncate, rope.BoolOr("truncate", true));
  JIKJI_ASSIGN(out.attention_factor, rope.NumberOr("attention_factor", 0, 1e-6, kMaxFactor));
  JIKJI_ASSIGN(const double mscale, rope.NumberOr("mscale", 0, 0, kMaxFactor));
  JIKJI_ASSIGN(const double all_dim, rope.NumberOr("mscale_all_dim", 0, 0, kMaxFactor));
  if (out.attention_factor == 0 && mscale != 0 && all_dim != 0) {
    out.attention_factor = YarnMagnitude(out.factor, mscale) / YarnMagnitude(out.factor, all_dim);
  }
  return {};
}

}  // namespace

Result<RopeSpec> ReadRopeConfig(const ConfigFields& config, const DecoderSpec& spec) {
  RopeSpec out;
  JIKJI_ASSIGN(out.theta, config.NumberOr("rope_theta", 10000.0, kMinTheta, kMaxTheta));
  JIKJI_ASSIGN(const double top_share, config.NumberOr("partial_rotary_factor", 1.0, 0, 1));
  JIKJI_ASSIGN(auto rope, config.FindObject("rope_scaling"));
  if (rope == nullptr) {
    JIKJI_ASSIGN(rope, config.FindObject("rope_parameters"));
  }
  if (rope == nullptr) {
    if (top_share != 1) {
      return config.Unsupported("partial_rotary_factor", "must be 1: heads are rotated whole");
    }
    return out;
  }
  if (rope->Has("full_attention") || rope->Has("sliding_attention")) {
    return rope->Unsupported(
        "full_attention", "is set: rotary embeddings of each layer type's own are not supported");
  }
  JIKJI_ASSIGN(const double share, rope->NumberOr("partial_rotary_factor", top_share, 0, 1));
  if (share != 1) {
    return rope->Unsupported("partial_rotary_factor", "must be 1: heads are rotated whole");
  }
  JIKJI_ASSIGN(out.theta, rope->NumberOr("rope_theta", out.theta, kMinTheta, kMaxTheta));
  const std::string_view type_key = rope->Has("rope_type") ? "rope_type" : "type";
  JIKJI_ASSIGN(const auto given, rope->FindString(type_key));
  const std::string type = given.value_or("default");
  if (type == "default") return out;
  if (type == "linear") {
    out.scaling = RopeSpec::Scaling::kLinear;
    JIKJI_ASSIGN(out.factor, rope->Number("factor", 1e-6, kMaxFactor));
    return out;
  }
  if (type != "llama3" && type != "yarn") {
    return rope->Unsupported(
        type_key, fmt::format("is \"{}\"; default, linear, llama3 and yarn are supported", type));
  }
  JIKJI_ASSIGN(out.original_max_position,
               rope->IntOr("original_max_position_embeddings", spec.max_position, 1, kMaxPosition));
  // Where it stands outside as well, that one counts (as transformers has it).
  JIKJI_ASSIGN(out.original_max_position, config.IntOr("original_max_position_embeddings",
                                                       out.original_max_position, 1, kMaxPosition));
  if (type == "llama3") {
    out.scaling = RopeSpec::Scaling::kLlama3;
    JIKJI_RETURN_IF_ERROR(ReadLlama3(*rope, out));
  } else {
    out.scaling = RopeSpec::Scaling::kYarn;
    JIKJI_RETURN_IF_ERROR(ReadYarn(*rope, spec, out));
  }
  return out;
}

Result<RopeSpec> ReadRopeGguf(const ConfigFields& keys, const Checkpoint& checkpoint,
                              const DecoderSpec& spec) {
  RopeSpec out;
  JIKJI_ASSIGN(out.theta, keys.NumberOr("rope.freq_base", 10000.0, kMinTheta, kMaxTheta));
  JIKJI_ASSIGN(const int64_t rotated,
               keys.IntOr("rope.dimension_count", spec.head_dim, 1, kMaxHeadDim));
  if (rotated != spec.head_dim) {
    return keys.Unsupported(
        "rope.dimension_count",
        fmt::format("is {} of a head's {}: heads are rotated whole", rotated, spec.head_dim));
  }
  JIKJI_ASSIGN(const auto given, keys.FindString("rope.scaling.type"));
  // Files from before `rope.scaling.*` know one kind, by its factor.
  JIKJI_ASSIGN(const double old_linear, keys.NumberOr("rope.scale_linear", 1, 1e-6, kMaxFactor));
  const std::string type = given.value_or(old_linear == 1 ? "none" : "linear");
  if (type == "linear") {
    out.scaling = RopeSpec::Scaling::kLinear;
    JIKJI_ASSIGN(out.factor, keys.NumberOr("rope.scaling.factor", old_linear, 1e-6, kMaxFactor));
  } else if (type == "yarn") {
    out.scaling = RopeSpec::Scaling::kYarn;
    JIKJI_ASSIGN(out.factor, keys.Number("rope.scaling.factor", 1, kMaxFactor));
    JIKJI_ASSIGN(out.original_max_position, keys.IntOr("rope.scaling.original_context_length",
                                                       spec.max_position, 1, kMaxPosition));
    JIKJI_ASSIGN(out.beta_fast,
                 keys.NumberOr("rope.scaling.yarn_beta_fast", out.beta_fast, 1e-6, kMaxFactor));
    JIKJI_ASSIGN(out.beta_slow,
                 keys.NumberOr("rope.scaling.yarn_beta_slow", out.beta_slow, 1e-6, kMaxFactor));
    JIKJI_ASSIGN(out.truncate, keys.BoolOr("rope.scaling.yarn_truncate", true));
    JIKJI_ASSIGN(out.attention_factor,
                 keys.NumberOr("rope.scaling.yarn_attn_factor", 0, 1e-6, kMaxFactor));
    JIKJI_ASSIGN(const double blend, keys.NumberOr("rope.scaling.yarn_ext_factor", 1, -1, 1));
    if (blend != 1 && blend != -1) {  // -1: not said
      return keys.Unsupported("rope.scaling.yarn_ext_factor", "must be 1");
    }
    JIKJI_ASSIGN(const double log_multiplier,
                 keys.NumberOr("rope.scaling.yarn_log_multiplier", 0, 0, kMaxFactor));
    if (log_multiplier != 0) {
      return keys.Unsupported("rope.scaling.yarn_log_multiplier", "is not supported");
    }
  } else if (type != "none") {
    return keys.Unsupported("rope.scaling.type",
                            fmt::format("is \"{}\"; none, linear and yarn are supported", type));
  }

  const TensorView* divisors = checkpoint.Find("rope_freqs.weight");
  if (divisors == nullptr) return out;
  if (divisors->shape != std::vector<int64_t>{spec.head_dim / 2}) {
    return Fail(ErrorCode::kMalformed,
                fmt::format("`rope_freqs.weight` has {} values for heads of {}", divisors->values(),
                            spec.head_dim),
                keys.file());
  }
  if (out.scaling != RopeSpec::Scaling::kNone) {
    return keys.Unsupported("rope.scaling.type",
                            "is set, and `rope_freqs.weight` is there too: only one may be");
  }
  JIKJI_ASSIGN(out.divisors, UnpackTensor(*divisors));
  for (const float divisor : out.divisors) {
    if (!(divisor > 0) || !std::isfinite(divisor)) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("`rope_freqs.weight` holds {}; it must be positive", divisor),
                  keys.file());
    }
  }
  return out;
}

}  // namespace jikji
