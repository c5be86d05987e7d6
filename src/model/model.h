// A model ready to be run: weights, spec, tokenizer, chat template, and the defaults its makers
// ship.
#ifndef JIKJI_MODEL_MODEL_H_
#define JIKJI_MODEL_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/decoder.h"
#include "model/decoder_spec.h"
#include "model/peft_adapter.h"
#include "tensor/checkpoint.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace jikji {

// generation_config.json; absent fields are nullopt.
struct GenerationDefaults {
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k;
  std::optional<bool> do_sample;
};

struct ModelDescription;

// Served beside its base, under a name of its own.
struct AdapterDescription {
  std::string name;
  std::filesystem::path path;
  PeftConfig config;
  // The base as it is to this adapter's requests, where it brings a tokenizer, a template or a
  // vocabulary of its own; else nullptr.
  std::shared_ptr<const ModelDescription> own = nullptr;
};

// Everything but the weights: what `jikji inspect` prints before anything is loaded.
struct ModelDescription {
  std::string name;  // folder name, or GGUF general.name, or file stem
  std::filesystem::path path;
  std::shared_ptr<const Checkpoint> checkpoint;
  DecoderSpec spec;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string template_source;                        // empty where the model has none
  std::shared_ptr<const ChatTemplate> chat_template;  // nullptr where it has none
  std::vector<TokenId>
      stop_ids;  // eos ids of the configs and turn enders known to the family, ascending
  std::string bos_token, eos_token;  // written forms, for the template; may be empty
  GenerationDefaults defaults;
  std::vector<AdapterDescription> adapters;  // in order of their numbers

  // What holds for requests to the adapter of this number, or to kBaseModel: tokenizer, template,
  // stop ids, spec.vocab.
  const ModelDescription& Of(int32_t adapter) const;
};

// `path` is a folder or a .gguf file.
Result<ModelDescription> DescribeModel(const std::filesystem::path& path);

struct Model {
  ModelDescription description;
  std::unique_ptr<Decoder> decoder;
};
Result<Model> LoadModel(const std::filesystem::path& path,
                        const std::function<void(double)>& progress = {});

// Adds a PEFT adapter's folder to the model; the adapter's number is its place in
// description.adapters. A tokenizer and a chat template in the folder are used for its requests; an
// adapter that knows more tokens than the base must have a tokenizer. An error where the name is
// empty or taken.
Result<> AddAdapter(Model& model, std::string name, const std::filesystem::path& path);

}  // namespace jikji

#endif  // JIKJI_MODEL_MODEL_H_
