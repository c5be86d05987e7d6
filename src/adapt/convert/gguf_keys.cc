#include "adapt/convert/gguf_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/families/family.h"

namespace jikji {
namespace {

class Keys {
 public:
  Keys(std::string architecture, GgufMetadata& out)
      : architecture_(std::move(architecture)), out_(out) {}

  void Count(std::string_view key, int64_t value) { Put(key, static_cast<uint64_t>(value)); }
  void Number(std::string_view key, double value) { Put(key, value); }
  void Put(std::string_view key, GgufValue value) {
    out_.Insert(fmt::format("{}.{}", architecture_, key), std::move(value));
  }

 private:
  std::string architecture_;
  GgufMetadata& out_;
};

void PutRope(const DecoderSpec& spec, Keys& keys) {
  const RopeSpec& rope = spec.rope;
  const RopeSpec defaults;
  keys.Number("rope.freq_base", rope.theta);
  keys.Count("rope.dimension_count", spec.head_dim);
  if (rope.scaling == RopeSpec::Scaling::kLinear) {
    keys.Put("rope.scaling.type", std::string("linear"));
    keys.Number("rope.scaling.factor", rope.factor);
  }
  if (rope.scaling == RopeSpec::Scaling::kYarn) {
    keys.Put("rope.scaling.type", std::string("yarn"));
    keys.Number("rope.scaling.factor", rope.factor);
    keys.Count("rope.scaling.original_context_length", rope.original_max_position);
    if (rope.attention_factor != 0) {
      keys.Number("rope.scaling.yarn_attn_factor", rope.attention_factor);
    }
    if (rope.beta_fast != defaults.beta_fast) {
      keys.Number("rope.scaling.yarn_beta_fast", rope.beta_fast);
    }
    if (rope.beta_slow != defaults.beta_slow) {
      keys.Number("rope.scaling.yarn_beta_slow", rope.beta_slow);
    }
    if (!rope.truncate) keys.Put("rope.scaling.yarn_truncate", false);
  }
}

void PutWindows(const DecoderSpec& spec, Keys& keys) {
  std::vector<bool> windowed;
  int32_t window = 0;
  for (const LayerSpec& layer : spec.layers) {
    windowed.push_back(layer.window > 0);
    window = std::max(window, layer.window);
  }
  if (window == 0) return;
  keys.Count("attention.sliding_window", window);
  if (!std::ranges::all_of(windowed, std::identity())) {
    keys.Put("attention.sliding_window_pattern", windowed);
  }
}

}  // namespace

Result<GgufMetadata> GgufKeysOf(const DecoderSpec& spec, const std::string& name) {
  const Family* family = FamilyNamed(spec.family);
  if (family == nullptr || family->architectures.empty()) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("GGUF has no architecture for the family `{}`; it has {}", spec.family,
                            SupportedArchitectures()));
  }
  const std::string architecture(family->architectures[0]);
  GgufMetadata out;
  out.Insert("general.architecture", architecture);
  out.Insert("general.type", std::string("model"));
  out.Insert("general.name", name);
  Keys keys(architecture, out);
  keys.Count("block_count", static_cast<int64_t>(spec.layers.size()));
  keys.Count("context_length", spec.max_position);
  keys.Count("embedding_length", spec.hidden);
  keys.Count("feed_forward_length", spec.intermediate);
  keys.Count("vocab_size", spec.vocab);
  keys.Count("attention.head_count", spec.heads);
  keys.Count("attention.head_count_kv", spec.kv_heads);
  keys.Count("attention.key_length", spec.head_dim);
  keys.Count("attention.value_length", spec.head_dim);
  keys.Number("attention.layer_norm_rms_epsilon", spec.norm_eps);
  PutRope(spec, keys);
  PutWindows(spec, keys);
  return out;
}

}  // namespace jikji
