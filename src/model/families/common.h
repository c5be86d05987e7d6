// What families share in reading their configuration.
#ifndef JIKJI_MODEL_FAMILIES_COMMON_H_
#define JIKJI_MODEL_FAMILIES_COMMON_H_

#include "base/error.h"
#include "model/config_fields.h"
#include "model/decoder_spec.h"
#include "model/families/family.h"
#include "tensor/checkpoint.h"

namespace jikji {

// Bounds of what a configuration may ask for: above every model there is, and small enough that no
// product of sizes overflows.
inline constexpr int64_t kMaxHidden = 1 << 17;
inline constexpr int64_t kMaxIntermediate = 1 << 20;
inline constexpr int64_t kMaxHeads = 1 << 12;
inline constexpr int64_t kMaxHeadDim = 1 << 10;
inline constexpr int64_t kMaxLayers = 512;
inline constexpr int64_t kMaxVocab = 1 << 24;
inline constexpr int64_t kMaxPosition = 1 << 27;

// Sizes, norm epsilon, tied head; then rotary embedding (rope_config.cc).
Result<DecoderSpec> ReadSharedConfig(const Family& family, const ConfigFields& config);
Result<DecoderSpec> ReadSharedGguf(const Family& family, const ConfigFields& keys,
                                   const Checkpoint& checkpoint);

// rope_parameters (transformers 5) or rope_theta and rope_scaling; GGUF rope.* and
// rope_freqs.weight. After the sizes are known.
Result<RopeSpec> ReadRopeConfig(const ConfigFields& config, const DecoderSpec& spec);
Result<RopeSpec> ReadRopeGguf(const ConfigFields& keys, const Checkpoint& checkpoint,
                              const DecoderSpec& spec);

// Sets the window of each layer that `layer_types` calls "sliding_attention". False where there is
// no such field.
Result<bool> ReadLayerTypes(const ConfigFields& config, int64_t window, DecoderSpec& spec);

// Qwen's fields: the window counts only with use_sliding_window, from max_window_layers on.
Result<> ReadQwenWindows(const ConfigFields& config, DecoderSpec& spec);

// attention.sliding_window, in the layers that attention.sliding_window_pattern says, else in all.
Result<> ReadGgufWindows(const ConfigFields& keys, DecoderSpec& spec);

// GGUF says nothing of biases but by their tensors: true where the first layer has this one.
bool GgufHas(const Checkpoint& checkpoint, const Family& family, TensorRole role);

}  // namespace jikji

#endif  // JIKJI_MODEL_FAMILIES_COMMON_H_
