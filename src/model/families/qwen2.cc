// Qwen 2 and 2.5: biases on queries, keys and values; windows only where use_sliding_window says
// so.
#include "model/families/common.h"

namespace jikji {
namespace {

constexpr std::string_view kNames[] = {"qwen2"};

Result<> FromConfig(const ConfigFields& config, DecoderSpec& spec) {
  spec.qkv_bias = true;
  return ReadQwenWindows(config, spec);
}

Result<> FromGguf(const ConfigFields& keys, const Checkpoint&, DecoderSpec& spec) {
  spec.qkv_bias = true;
  return ReadGgufWindows(keys, spec);
}

}  // namespace

extern const Family kQwen2;
const Family kQwen2 = {
    .name = "qwen2",
    .model_types = kNames,
    .architectures = kNames,
    .from_config = FromConfig,
    .from_gguf = FromGguf,
};

}  // namespace jikji
