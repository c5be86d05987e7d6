#include "model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "base/json.h"
#include "model/adapter_tokenizer.h"
#include "model/config_fields.h"
#include "model/generation_config.h"
#include "model/gguf_vocabulary.h"
#include "model/spec_reader.h"
#include "model/template_source.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr size_t kMaxConfigBytes = 16 << 20;

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Result<json::object> ReadObject(const fs::path& path) {
  JsonLimits limits;
  limits.max_bytes = kMaxConfigBytes;
  JIKJI_ASSIGN(json::value value, ParseJsonFile(path.string(), limits));
  if (!value.is_object()) {
    return Fail(ErrorCode::kMalformed, "must be a JSON object", path.string());
  }
  return std::move(value.get_object());
}

// The last part of the path, whatever it ends with: "models/x/" is "x".
std::string NameOf(const fs::path& path) {
  std::error_code ignored;
  fs::path whole = fs::weakly_canonical(path, ignored);
  if (ignored) whole = path;
  return whole.filename().empty() ? whole.parent_path().filename().string()
                                  : whole.filename().string();
}

Result<> DescribeFolder(ModelDescription& out, std::set<TokenId>& stops) {
  out.name = NameOf(out.path);
  const fs::path config_file = out.path / "config.json";
  JIKJI_ASSIGN(const json::object config, ReadObject(config_file));
  JIKJI_ASSIGN(out.spec, SpecFromConfig(config, config_file.string()));
  const auto fields = JsonFields(config, config_file.string());
  JIKJI_RETURN_IF_ERROR(AddStopIds(*fields, "eos_token_id", out.spec.vocab, stops));

  const fs::path generation_file = out.path / "generation_config.json";
  if (Exists(generation_file)) {
    JIKJI_ASSIGN(const json::object generation, ReadObject(generation_file));
    const auto defaults = JsonFields(generation, generation_file.string());
    JIKJI_RETURN_IF_ERROR(AddStopIds(*defaults, "eos_token_id", out.spec.vocab, stops));
    JIKJI_ASSIGN(out.defaults, ReadGenerationDefaults(*defaults));
  }

  const fs::path tokenizer_file = out.path / "tokenizer.json";
  if (!Exists(tokenizer_file)) {
    return Fail(ErrorCode::kNotFound,
                "no tokenizer.json in the folder: a model with only tokenizer.model or vocab.json "
                "can be saved with one by transformers' fast tokenizers, or converted to GGUF",
                out.path.string());
  }
  JIKJI_ASSIGN(out.tokenizer, LoadTokenizerJson(tokenizer_file));
  return {};
}

Result<> DescribeGguf(ModelDescription& out, std::set<TokenId>& stops) {
  const GgufMetadata& metadata = out.checkpoint->metadata();
  const auto name = metadata.String("general.name");
  out.name = name && *name && !(*name)->empty() ? **name : out.path.stem().string();
  JIKJI_ASSIGN(out.spec, SpecFromGguf(*out.checkpoint));
  // The tokenizer knows `eos_token_id`; these are of a turn, and of a message to a tool.
  const auto keys = GgufFields(metadata, out.path.string(), "tokenizer.ggml");
  for (const char* key : {"eot_token_id", "eom_token_id"}) {
    JIKJI_RETURN_IF_ERROR(AddStopIds(*keys, key, out.spec.vocab, stops));
  }
  const auto in_file = [&](Error error) {
    if (error.where.empty()) error.where = out.path.string();
    return std::unexpected(std::move(error));
  };
  auto vocabulary = ReadGgufVocabulary(metadata);
  if (!vocabulary) return in_file(vocabulary.error());
  auto tokenizer = LoadGgufTokenizer(std::move(*vocabulary));
  if (!tokenizer) return in_file(tokenizer.error());
  out.tokenizer = std::move(*tokenizer);
  return {};
}

// What follows from `out.tokenizer`, which is of `path`.
Result<> UseTokenizer(ModelDescription& out, std::set<TokenId>& stops, const fs::path& path) {
  // More embeddings than tokens are padding; fewer would be read past their end.
  const Tokenizer& tokenizer = *out.tokenizer;
  if (tokenizer.vocab_size() > out.spec.vocab) {
    return Fail(ErrorCode::kMalformed,
                fmt::format("the tokenizer has {} tokens, but the model only {} embeddings: they "
                            "do not belong together",
                            tokenizer.vocab_size(), out.spec.vocab),
                path.string());
  }
  if (const auto eos = tokenizer.eos()) {
    stops.insert(*eos);
    out.eos_token = tokenizer.TokenBytes(*eos);
  }
  if (const auto bos = tokenizer.bos()) out.bos_token = tokenizer.TokenBytes(*bos);
  AddEnders(tokenizer, stops);
  out.stop_ids.assign(stops.begin(), stops.end());
  return {};
}

// Nothing changes where there is none.
Result<> UseTemplate(ModelDescription& out, TemplateSource source) {
  if (source.text.empty()) return {};
  auto compiled = ChatTemplate::Compile(source.text);
  if (!compiled) {
    Error error = std::move(compiled).error();
    error.where = error.where.empty() ? source.where : source.where + ": " + error.where;
    return std::unexpected(std::move(error));
  }
  out.chat_template = std::make_shared<const ChatTemplate>(std::move(*compiled));
  out.template_source = std::move(source.text);
  return {};
}

// AdapterDescription::own.
Result<std::shared_ptr<const ModelDescription>> DescribeOwn(const ModelDescription& base,
                                                            const PeftAdapter& adapter) {
  const fs::path tokenizer_file = adapter.path / "tokenizer.json";
  const bool has_tokenizer = Exists(tokenizer_file);
  JIKJI_ASSIGN(TemplateSource source, FindTemplate(adapter.path));
  if (!has_tokenizer && source.text.empty() && adapter.vocab == base.spec.vocab) return nullptr;
  if (!has_tokenizer && adapter.vocab > base.spec.vocab) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("no tokenizer.json in the folder: the adapter knows {} tokens and its "
                            "base {}, so it must bring the tokenizer that makes them",
                            adapter.vocab, base.spec.vocab),
                adapter.path.string());
  }
  ModelDescription own = base;
  own.adapters.clear();
  own.spec.vocab = adapter.vocab;
  // A tokenizer that was extended keeps the old tokens' numbers, the ends of a turn among them.
  std::set<TokenId> stops(base.stop_ids.begin(), base.stop_ids.end());
  std::erase_if(stops, [&](TokenId id) { return id >= adapter.vocab; });
  if (has_tokenizer) {
    JIKJI_ASSIGN(own.tokenizer, LoadTokenizerJson(tokenizer_file));
    JIKJI_RETURN_IF_ERROR(CheckAdapterTokenizer(*own.tokenizer, *base.tokenizer, adapter));
  }
  JIKJI_RETURN_IF_ERROR(UseTokenizer(own, stops, adapter.path));
  JIKJI_RETURN_IF_ERROR(UseTemplate(own, std::move(source)));
  return std::make_shared<const ModelDescription>(std::move(own));
}

}  // namespace

const ModelDescription& ModelDescription::Of(int32_t adapter) const {
  if (adapter == kBaseModel) return *this;
  const auto& own = adapters[static_cast<size_t>(adapter)].own;
  return own == nullptr ? *this : *own;
}

Result<ModelDescription> DescribeModel(const fs::path& path) {
  ModelDescription out;
  out.path = path;
  JIKJI_ASSIGN(out.checkpoint, Checkpoint::Open(path));
  std::set<TokenId> stops;
  if (out.checkpoint->format() == CheckpointFormat::kGguf) {
    JIKJI_RETURN_IF_ERROR(DescribeGguf(out, stops));
  } else {
    JIKJI_RETURN_IF_ERROR(DescribeFolder(out, stops));
  }
  JIKJI_RETURN_IF_ERROR(UseTokenizer(out, stops, path));
  JIKJI_ASSIGN(TemplateSource source, FindTemplate(*out.checkpoint));
  JIKJI_RETURN_IF_ERROR(UseTemplate(out, std::move(source)));
  return out;
}

Result<Model> LoadModel(const fs::path& path, const std::function<void(double)>& progress) {
  Model model;
  JIKJI_ASSIGN(model.description, DescribeModel(path));
  JIKJI_ASSIGN(model.decoder,
               Decoder::Load(model.description.checkpoint, model.description.spec, progress));
  return model;
}

Result<> AddAdapter(Model& model, std::string name, const fs::path& path) {
  auto& adapters = model.description.adapters;
  if (name.empty() ||
      std::ranges::find(adapters, name, &AdapterDescription::name) != adapters.end()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("an adapter needs a name of its own, and this is `{}`", name),
                path.string());
  }
  JIKJI_ASSIGN(const PeftAdapter adapter, PeftAdapter::Open(path, model.description.spec));
  JIKJI_ASSIGN(auto own, DescribeOwn(model.description, adapter));
  JIKJI_ASSIGN(const int32_t number, model.decoder->AddAdapter(adapter));
  if (std::cmp_not_equal(number, adapters.size())) {
    return Fail(ErrorCode::kInternal, "adapters are numbered otherwise than they were added");
  }
  adapters.push_back({std::move(name), path, adapter.config, std::move(own)});
  return {};
}

}  // namespace jikji
