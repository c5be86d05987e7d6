#include "adapt/weights/hf_model.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/json.h"
#include "model/families/family.h"
#include "model/spec_reader.h"

namespace jikji {

namespace fs = std::filesystem;
namespace json = boost::json;

Result<HfModel> HfModel::Open(const fs::path& path) {
  HfModel model;
  model.path = path;
  JIKJI_ASSIGN(model.checkpoint, Checkpoint::Open(path));
  if (model.checkpoint->format() != CheckpointFormat::kHuggingFace) {
    return Fail(ErrorCode::kInvalidArgument,
                "is a GGUF file: `jikji adapt convert` makes the folder that is needed here",
                path.string());
  }
  const std::string file = (path / "config.json").string();
  JIKJI_ASSIGN(json::value config, ParseJsonFile(file));
  if (!config.is_object()) return Fail(ErrorCode::kMalformed, "must be a JSON object", file);
  model.config = std::move(config.get_object());
  JIKJI_ASSIGN(model.spec, SpecFromConfig(model.config, file));
  return model;
}

std::string HfModel::NameOf(TensorRole role, int32_t layer) const {
  return TensorName(*FamilyNamed(spec.family), CheckpointFormat::kHuggingFace, role, layer);
}

Result<const TensorView*> HfModel::Find(TensorRole role, int32_t layer) const {
  const std::string name = NameOf(role, layer);
  const TensorView* tensor = checkpoint->Find(name);
  if (tensor != nullptr) return tensor;
  return Fail(ErrorCode::kMalformed, fmt::format("no tensor `{}`", name), path.string());
}

void SetTorchType(json::object& config, DType dtype) {
  config[config.contains("dtype") ? "dtype" : "torch_dtype"] = dtype == DType::kF32   ? "float32"
                                                               : dtype == DType::kF16 ? "float16"
                                                                                      : "bfloat16";
}

Result<> CopyOtherFiles(const fs::path& from, ModelFolder& to) {
  static const std::set<std::string> kOwn = {"config.json", "model.safetensors.index.json"};
  static const std::set<std::string> kKinds = {".json", ".jinja", ".md", ".txt", ".model"};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file(error) || kOwn.contains(name)) continue;
    const bool licence = name == "LICENSE" || name == "NOTICE";
    if (!licence && !kKinds.contains(entry.path().extension().string())) continue;
    JIKJI_RETURN_IF_ERROR(to.CopyFrom(from, name));
  }
  return {};
}

}  // namespace jikji
