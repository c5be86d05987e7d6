// A model in a Hugging Face folder, opened to make another of its weights: config.json, what it
// says, and the tensors by role.
//
// Non-goals: running it (model/), GGUF (an error says how to convert it).
#ifndef JIKJI_ADAPT_WEIGHTS_HF_MODEL_H_
#define JIKJI_ADAPT_WEIGHTS_HF_MODEL_H_

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "adapt/weights/model_folder.h"
#include "base/error.h"
#include "model/decoder_spec.h"
#include "model/tensor_roles.h"
#include "tensor/checkpoint.h"

namespace jikji {

struct HfModel {
  std::filesystem::path path;
  std::shared_ptr<const Checkpoint> checkpoint;
  boost::json::object config;
  DecoderSpec spec;

  static Result<HfModel> Open(const std::filesystem::path& path);

  // `layer` as in TensorNeed.
  std::string NameOf(TensorRole role, int32_t layer) const;
  // An error where there is no such tensor.
  Result<const TensorView*> Find(TensorRole role, int32_t layer) const;
};

// config.json's name for the type that weights are of: under `dtype` or `torch_dtype`, whichever
// the file has.
void SetTorchType(boost::json::object& config, DType dtype);

// What says how a model is used goes along: tokenizer, template, generation settings, licence. Not
// config.json and weights.
Result<> CopyOtherFiles(const std::filesystem::path& from, ModelFolder& to);

}  // namespace jikji

#endif  // JIKJI_ADAPT_WEIGHTS_HF_MODEL_H_
