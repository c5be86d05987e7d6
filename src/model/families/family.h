// A family of models as a table: how config.json or GGUF keys become a DecoderSpec, and what its
// tensors are called. No forward code: the one decoder runs them all.
//
// To add one: a file here that defines it, a line in families.cc, a golden test.
#ifndef JIKJI_MODEL_FAMILIES_FAMILY_H_
#define JIKJI_MODEL_FAMILIES_FAMILY_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/config_fields.h"
#include "model/decoder_spec.h"
#include "model/tensor_roles.h"
#include "tensor/checkpoint.h"

namespace jikji {

struct Family {
  std::string_view name;                            // DecoderSpec::family
  std::span<const std::string_view> model_types;    // config.json `model_type`
  std::span<const std::string_view> architectures;  // GGUF `general.architecture`
  int64_t default_head_dim = 0;                     // where config.json has none; 0: hidden / heads
  std::span<const RoleName> hugging_face_names = {};  // those unlike tensor_roles.h's
  // GGUF keeps the rows of queries and keys in pairs to be rotated (2i, 2i + 1), not in halves.
  bool interleaved_in_gguf = false;
  // Each is called with what all families share filled in (families/common.h), and adds its own.
  Result<> (*from_config)(const ConfigFields& config, DecoderSpec& spec) = nullptr;
  Result<> (*from_gguf)(const ConfigFields& keys, const Checkpoint& checkpoint,
                        DecoderSpec& spec) = nullptr;
};

std::span<const Family* const> Families();

// nullptr where there is none.
const Family* FamilyNamed(std::string_view name);
const Family* FamilyOfModelType(std::string_view model_type);
const Family* FamilyOfArchitecture(std::string_view architecture);

// "llama, mistral, qwen2, ...": what an error says is supported.
std::string SupportedModelTypes();
std::string SupportedArchitectures();

// The tensor's name in a checkpoint of that format. `layer` as in TensorNeed.
std::string TensorName(const Family& family, CheckpointFormat format, TensorRole role,
                       int32_t layer);

}  // namespace jikji

#endif  // JIKJI_MODEL_FAMILIES_FAMILY_H_
