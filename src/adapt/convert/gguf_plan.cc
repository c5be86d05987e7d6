// A Hugging Face folder as a GGUF file.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>
#include <tuple>
#include <utility>

#include "adapt/convert/gguf_keys.h"
#include "adapt/convert/llama3_rope.h"
#include "adapt/convert/model_plan.h"
#include "adapt/convert/tensor_plan.h"
#include "adapt/convert/vocabulary.h"
#include "base/json.h"
#include "model/model.h"
#include "model/spec_reader.h"
#include "model/template_source.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// The version of ggml's block layouts: tensor/dtype.h's.
constexpr uint64_t kQuantisationVersion = 2;

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Result<json::object> ReadObject(const fs::path& path) {
  JIKJI_ASSIGN(json::value value, ParseJsonFile(path.string()));
  if (!value.is_object()) {
    return Fail(ErrorCode::kMalformed, "must be a JSON object", path.string());
  }
  return std::move(value.get_object());
}

// What most of the matrices' values are.
DType MainType(const std::vector<PlannedTensor>& tensors) {
  std::map<DType, int64_t> values;
  for (const PlannedTensor& tensor : tensors) {
    if (tensor.spec.shape.size() > 1) values[tensor.spec.dtype] += tensor.source.values();
  }
  DType main = DType::kF32;
  int64_t most = 0;
  for (const auto& [type, count] : values) {
    if (count > most) std::tie(main, most) = std::pair(type, count);
  }
  return main;
}

// A further token that ends a turn, where the model has one beside EOS.
void PutTurnEnd(const ModelDescription& model, GgufMetadata& out) {
  const auto eos = model.tokenizer->eos();
  for (const TokenId id : model.stop_ids) {
    if (id == eos) continue;
    out.Insert("tokenizer.ggml.eot_token_id", static_cast<uint64_t>(id));
    return;
  }
}

Result<> PutTokenizer(const fs::path& folder, const DecoderSpec& spec, GgufMetadata& out) {
  JIKJI_ASSIGN(const ModelDescription model, DescribeModel(folder));
  const fs::path file = folder / "tokenizer.json";
  JIKJI_ASSIGN(const json::object root, ReadObject(file));
  auto vocabulary = ToGgufVocabulary(root, *model.tokenizer, spec.vocab);
  if (!vocabulary) {
    Error error = std::move(vocabulary).error();
    error.where = error.where.empty() ? file.string() : file.string() + ": " + error.where;
    return std::unexpected(std::move(error));
  }
  PutVocabulary(*vocabulary, out);
  PutTurnEnd(model, out);
  if (!model.template_source.empty()) {
    out.Insert("tokenizer.chat_template", model.template_source);
  }
  return {};
}

std::string NameOf(const fs::path& folder) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(folder, ignored);
  return whole.filename().empty() ? whole.parent_path().filename().string()
                                  : whole.filename().string();
}

}  // namespace

Result<GgufPlan> PlanGguf(const fs::path& folder, std::optional<DType> type) {
  GgufPlan plan;
  JIKJI_ASSIGN(plan.source, Checkpoint::Open(folder));
  const fs::path config_file = folder / "config.json";
  JIKJI_ASSIGN(const json::object config, ReadObject(config_file));
  JIKJI_ASSIGN(const DecoderSpec spec, SpecFromConfig(config, config_file.string()));
  JIKJI_ASSIGN(plan.metadata, GgufKeysOf(spec, NameOf(folder)));
  JIKJI_ASSIGN(
      plan.tensors,
      PlanTensors(*plan.source, spec, CheckpointFormat::kGguf, [&](const TensorView& tensor) {
        return tensor.shape.size() < 2 ? DType::kF32 : type.value_or(tensor.dtype);
      }));
  if (spec.rope.scaling == RopeSpec::Scaling::kLlama3) {
    const auto& divisors = plan.made.emplace_back(Llama3Divisors(spec.rope, spec.head_dim));
    const std::vector<int64_t> shape = {static_cast<int64_t>(divisors.size())};
    plan.tensors.push_back(
        {.spec = {"rope_freqs.weight", DType::kF32, shape},
         .source = {"rope_freqs.weight", DType::kF32, shape, std::as_bytes(std::span(divisors))},
         .mapped = false});
  }
  const DType main = MainType(plan.tensors);
  plan.metadata.Insert("general.file_type", GgufFileType(main));
  if (IsQuantised(main)) {
    plan.metadata.Insert("general.quantization_version", kQuantisationVersion);
  }
  plan.has_tokenizer = Exists(folder / "tokenizer.json");
  if (plan.has_tokenizer) JIKJI_RETURN_IF_ERROR(PutTokenizer(folder, spec, plan.metadata));
  return plan;
}

uint64_t GgufFileType(DType type) {
  switch (type) {
    case DType::kF32:
      return 0;
    case DType::kF16:
      return 1;
    case DType::kQ4_0:
      return 2;
    case DType::kQ8_0:
      return 7;
    case DType::kQ4_K:
      return 14;
    case DType::kQ5_K:
      return 16;
    case DType::kQ6_K:
      return 18;
    case DType::kBF16:
      return 32;
    case DType::kF8_E4M3:
      break;  // no type of weights
  }
  std::unreachable();
}

}  // namespace jikji
