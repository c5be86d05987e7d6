// A GGUF file as a Hugging Face folder.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <utility>

#include "adapt/convert/hf_config.h"
#include "adapt/convert/model_plan.h"
#include "adapt/convert/tensor_plan.h"
#include "adapt/convert/vocabulary.h"
#include "model/gguf_vocabulary.h"
#include "model/model.h"
#include "model/spec_reader.h"
#include "tensor/quant/half.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// True where each value comes back from `type` as it was.
bool Survives(const std::vector<float>& values, DType type) {
  return std::ranges::all_of(values, [type](float value) {
    const float back = type == DType::kBF16  ? BF16ToF32(F32ToBF16(value))
                       : type == DType::kF16 ? F16ToF32(F32ToF16(value))
                                             : value;
    return std::bit_cast<uint32_t>(back) == std::bit_cast<uint32_t>(value);
  });
}

// What the matrices become: `type`, or what the embedding is.
Result<DType> MainType(const Checkpoint& from, std::optional<DType> type) {
  if (type) return *type;
  DType main = DType::kF32;
  int64_t most = 0;
  for (const TensorView& tensor : from.tensors()) {
    if (tensor.shape.size() < 2) continue;
    if (IsQuantised(tensor.dtype)) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("`{}` is {}, which safetensors do not hold: say what it shall become "
                              "with --type F32, F16 or BF16",
                              tensor.name, DTypeName(tensor.dtype)),
                  from.path().string());
    }
    if (tensor.values() > most) {
      most = tensor.values();
      main = tensor.dtype;
    }
  }
  return main;
}

}  // namespace

Result<FolderPlan> PlanFolder(const fs::path& gguf, std::optional<DType> type) {
  FolderPlan plan;
  JIKJI_ASSIGN(plan.source, Checkpoint::Open(gguf));
  JIKJI_ASSIGN(const DecoderSpec spec, SpecFromGguf(*plan.source));
  JIKJI_ASSIGN(const DType main, MainType(*plan.source, type));
  JIKJI_ASSIGN(plan.tensors, PlanTensors(*plan.source, spec, CheckpointFormat::kHuggingFace,
                                         [&](const TensorView& tensor) {
                                           return tensor.shape.size() < 2
                                                      ? tensor.dtype
                                                      : type.value_or(tensor.dtype);
                                         }));
  for (PlannedTensor& tensor : plan.tensors) {
    if (tensor.spec.shape.size() > 1 || tensor.spec.dtype == main) continue;
    JIKJI_ASSIGN(const std::vector<float> values, UnpackTensor(tensor.source));
    if (Survives(values, main)) tensor.spec.dtype = main;
  }
  JIKJI_ASSIGN(plan.config, ConfigOf(spec, main));
  const GgufMetadata& metadata = plan.source->metadata();
  if (metadata.Find("tokenizer.ggml.model") == nullptr) return plan;
  JIKJI_ASSIGN(const ModelDescription model, DescribeModel(gguf));
  JIKJI_ASSIGN(const GgufVocabulary vocabulary, ReadGgufVocabulary(metadata));
  JIKJI_ASSIGN(TokenizerFiles files, ToTokenizerFiles(vocabulary, *model.tokenizer));
  if (const auto bos = model.tokenizer->bos()) plan.config["bos_token_id"] = *bos;
  if (model.stop_ids.size() == 1) {
    plan.config["eos_token_id"] = model.stop_ids[0];
  } else if (!model.stop_ids.empty()) {
    plan.config["eos_token_id"] = json::array(model.stop_ids.begin(), model.stop_ids.end());
  }
  if (!model.template_source.empty()) files.config["chat_template"] = model.template_source;
  plan.tokenizer = std::move(files.tokenizer);
  plan.tokenizer_config = std::move(files.config);
  return plan;
}

}  // namespace jikji
