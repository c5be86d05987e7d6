#include "model/peft_adapter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/json.h"
#include "model/families/family.h"
#include "tensor/safetensors.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr size_t kMaxConfigBytes = 1 << 20;
constexpr int64_t kMaxRank = 1 << 16;

constexpr AdapterTarget kTargets[] = {
    {"q_proj", TensorRole::kQuery},   {"k_proj", TensorRole::kKey},
    {"v_proj", TensorRole::kValue},   {"o_proj", TensorRole::kOutput},
    {"gate_proj", TensorRole::kGate}, {"up_proj", TensorRole::kUp},
    {"down_proj", TensorRole::kDown},
};

// Fields that change what an adapter computes and are not done here; absent, null, false and empty
// mean that they are not used.
constexpr std::string_view kNotDone[] = {"alora_invocation_tokens",
                                         "alpha_pattern",
                                         "fan_in_fan_out",
                                         "layer_replication",
                                         "lora_bias",
                                         "rank_pattern",
                                         "target_parameters",
                                         "trainable_token_indices",
                                         "use_qalora"};

// Ways to begin that change the base's own weights, so that the adapter is not of the base as it
// lies on the disk.
constexpr std::string_view kChangesBase[] = {"corda", "loftq", "olora", "pissa"};

bool IsUnused(const json::value& value) {
  return value.is_null() || (value.is_bool() && !value.get_bool()) ||
         (value.is_array() && value.get_array().empty()) ||
         (value.is_object() && value.get_object().empty());
}

std::unexpected<Error> NotDone(std::string_view where, std::string_view key) {
  return Fail(ErrorCode::kUnsupported,
              fmt::format("`{}` is used by this adapter, and not supported", key),
              std::string(where));
}

// Where a value is not finite: damage, or a training that went astray.
Result<> CheckFinite(const TensorView& tensor, const std::string& where) {
  constexpr int64_t kRows = 64;
  std::vector<float> values;
  for (int64_t row = 0; row < tensor.rows(); row += kRows) {
    const int64_t count = std::min(kRows, tensor.rows() - row);
    values.resize(static_cast<size_t>(count * tensor.cols()));
    JIKJI_RETURN_IF_ERROR(UnpackRows(tensor, row, count, values));
    if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) continue;
    return Fail(ErrorCode::kMalformed,
                fmt::format("`{}` holds values that are not finite", tensor.name), where);
  }
  return {};
}

class Finder {
 public:
  Finder(PeftAdapter& out, const DecoderSpec& base, const Family& family,
         std::vector<TensorView> tensors, std::string where)
      : out_(out), base_(base), family_(family), where_(std::move(where)) {
    for (TensorView& tensor : tensors) {
      const std::string name = tensor.name;
      tensors_.emplace(name, std::move(tensor));
    }
  }

  Result<> Find() {
    for (const TensorNeed& need : TensorsOf(base_)) {
      if (need.layer < 0 || need.shape.size() != 2) continue;
      JIKJI_RETURN_IF_ERROR(FindOf(need));
    }
    JIKJI_RETURN_IF_ERROR(FindVocabulary());
    if (!tensors_.empty()) {
      return Wrong(fmt::format("`{}` is of no projection of a {} model of {} layers",
                               tensors_.begin()->first, base_.family, base_.layers.size()));
    }
    if (out_.matrices.empty() && out_.embedding.data.empty() && out_.head.data.empty()) {
      return Wrong("it adapts nothing");
    }
    return {};
  }

 private:
  std::unexpected<Error> Wrong(std::string message) const {
    return Fail(ErrorCode::kMalformed, std::move(message), where_);
  }

  // Takes the tensor out; nullopt where there is none.
  std::optional<TensorView> Take(const std::string& name) {
    auto found = tensors_.extract(name);
    if (found.empty()) return std::nullopt;
    return std::move(found.mapped());
  }

  Result<TensorView> TakeShaped(const std::string& name, const std::vector<int64_t>& shape) {
    std::optional<TensorView> tensor = Take(name);
    if (!tensor) return Wrong(fmt::format("`{}` is missing", name));
    if (tensor->shape != shape) {
      return Wrong(fmt::format("`{}` is [{}], and must be [{}] to fit the base and the rank", name,
                               fmt::join(tensor->shape, ", "), fmt::join(shape, ", ")));
    }
    return *std::move(tensor);
  }

  Result<> FindOf(const TensorNeed& need) {
    const std::string base =
        TensorName(family_, CheckpointFormat::kHuggingFace, need.role, need.layer);
    const auto name = [&](const char* part) { return PeftTensorName(base, part); };
    if (!tensors_.contains(name("lora_A.weight")) && !tensors_.contains(name("lora_B.weight"))) {
      return {};
    }
    AdaptedMatrix matrix;
    matrix.role = need.role;
    matrix.layer = need.layer;
    const int64_t rank = out_.config.rank;
    JIKJI_ASSIGN(matrix.a, TakeShaped(name("lora_A.weight"), {rank, need.shape[1]}));
    JIKJI_ASSIGN(matrix.b, TakeShaped(name("lora_B.weight"), {need.shape[0], rank}));
    if (out_.config.dora) {
      JIKJI_ASSIGN(matrix.magnitude, TakeShaped(name("lora_magnitude_vector"), {need.shape[0]}));
    }
    out_.matrices.push_back(std::move(matrix));
    return {};
  }

  // PEFT writes them whole: where `modules_to_save` names them, and where the vocabulary's size was
  // changed.
  Result<TensorView> TakeRows(TensorRole role, bool named) {
    const std::string name =
        PeftTensorName(TensorName(family_, CheckpointFormat::kHuggingFace, role, -1), "weight");
    std::optional<TensorView> rows = Take(name);
    if (!rows && named) return Wrong(fmt::format("`{}` is missing", name));
    if (rows && (rows->shape.size() != 2 || rows->shape[1] != base_.hidden)) {
      return Wrong(fmt::format("`{}` is [{}], and must have rows of {}", name,
                               fmt::join(rows->shape, ", "), base_.hidden));
    }
    return rows.value_or(TensorView{});
  }

  Result<> FindVocabulary() {
    JIKJI_ASSIGN(out_.embedding, TakeRows(TensorRole::kEmbedding, out_.config.saves_embedding));
    JIKJI_ASSIGN(out_.head, TakeRows(TensorRole::kHead, out_.config.saves_head));
    const auto tokens = [&](const TensorView& own) {
      return own.data.empty() ? base_.vocab : own.rows();
    };
    out_.vocab = tokens(out_.embedding);
    if (base_.tied_head && !out_.embedding.data.empty() && out_.head.data.empty()) {
      return Wrong(
          "it has an embedding of its own, and the base's head is the embedding: save "
          "`lm_head` with it, so that there is no doubt which one answers");
    }
    if (tokens(out_.head) != out_.vocab) {
      return Wrong(fmt::format("its embedding has {} tokens and its head {}", out_.vocab,
                               tokens(out_.head)));
    }
    return {};
  }

  PeftAdapter& out_;
  const DecoderSpec& base_;
  const Family& family_;
  std::string where_;
  std::map<std::string, TensorView> tensors_;  // that no projection has taken
};

// Of a list, or nothing. A module is named by its path or the end of it.
Result<> ReadSavedModules(const json::object& config, std::string_view where, PeftConfig& out) {
  constexpr std::string_view kField = "modules_to_save";
  const json::value* value = config.if_contains(kField);
  if (value == nullptr || IsUnused(*value)) return {};
  if (!value->is_array()) {
    return Fail(ErrorCode::kMalformed, "`modules_to_save` must be a list", std::string(where));
  }
  for (const json::value& item : value->get_array()) {
    const std::string_view path = item.is_string() ? std::string_view(item.get_string()) : "";
    const std::string_view name = path.substr(path.rfind('.') + 1);
    if (name == "embed_tokens") {
      out.saves_embedding = true;
    } else if (name == "lm_head") {
      out.saves_head = true;
    } else {
      return Fail(ErrorCode::kUnsupported,
                  fmt::format("`{}` names `{}`; embed_tokens and lm_head are what is supported",
                              kField, path),
                  std::string(where));
    }
  }
  return {};
}

}  // namespace

float PeftConfig::scale() const {
  const auto r = static_cast<double>(rank);
  return static_cast<float>(alpha / (rank_stabilised ? std::sqrt(r) : r));
}

std::span<const AdapterTarget> AdapterTargets() { return kTargets; }

std::string PeftTensorName(std::string_view base_name, std::string_view part) {
  constexpr std::string_view kEnd = ".weight";
  if (base_name.ends_with(kEnd)) base_name.remove_suffix(kEnd.size());
  return fmt::format("base_model.model.{}.{}", base_name, part);
}

Result<PeftConfig> ReadPeftConfig(const json::object& config, std::string_view where) {
  JIKJI_ASSIGN(const auto type, OptionalString(config, "peft_type", where));
  if (type != "LORA") {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("`peft_type` is {}; LORA is what is supported (with DoRA)",
                            type ? "`" + *type + "`" : "missing"),
                std::string(where));
  }
  for (const std::string_view key : kNotDone) {
    const json::value* value = config.if_contains(key);
    if (value != nullptr && !IsUnused(*value)) return NotDone(where, key);
  }
  JIKJI_ASSIGN(const auto bias, OptionalString(config, "bias", where));
  if (bias.value_or("none") != "none") return NotDone(where, "bias");
  const json::value* start = config.if_contains("init_lora_weights");
  if (start != nullptr && start->is_string() &&
      std::ranges::any_of(kChangesBase, [&](std::string_view name) {
        return std::string_view(start->get_string()).starts_with(name);
      })) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("it was begun with `{}`, which changed its base: save it as a plain "
                            "LoRA first",
                            std::string_view(start->get_string())),
                std::string(where));
  }
  PeftConfig out;
  JIKJI_ASSIGN(const auto rank, OptionalInt(config, "r", where));
  JIKJI_ASSIGN(const auto alpha, OptionalNumber(config, "lora_alpha", where));
  JIKJI_ASSIGN(const auto stabilised, OptionalBool(config, "use_rslora", where));
  JIKJI_ASSIGN(const auto dora, OptionalBool(config, "use_dora", where));
  out.rank = rank.value_or(0);
  if (out.rank < 1 || out.rank > kMaxRank) {
    return Fail(ErrorCode::kMalformed, fmt::format("`r` must be from 1 to {}", kMaxRank),
                std::string(where));
  }
  if (!alpha || !std::isfinite(*alpha)) {
    return Fail(ErrorCode::kMalformed, "`lora_alpha` must be a number", std::string(where));
  }
  out.alpha = *alpha;
  out.rank_stabilised = stabilised.value_or(false);
  if (!std::isfinite(out.scale())) {
    return Fail(ErrorCode::kMalformed, "`lora_alpha` is too large", std::string(where));
  }
  out.dora = dora.value_or(false);
  JIKJI_RETURN_IF_ERROR(ReadSavedModules(config, where, out));
  return out;
}

Result<PeftAdapter> PeftAdapter::Open(const fs::path& folder, const DecoderSpec& base) {
  const fs::path config_file = folder / "adapter_config.json";
  const fs::path weights_file = folder / "adapter_model.safetensors";
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    return Fail(ErrorCode::kNotFound, "there is no such folder", folder.string());
  }
  for (const fs::path& file : {config_file, weights_file}) {
    if (fs::exists(file, ignored)) continue;
    return Fail(ErrorCode::kNotFound,
                fmt::format("no {} in the folder: an adapter is a folder as PEFT saves it, with "
                            "safetensors",
                            file.filename().string()),
                folder.string());
  }
  const Family* family = FamilyNamed(base.family);
  if (family == nullptr) {
    return Fail(ErrorCode::kUnsupported, fmt::format("no family `{}`", base.family));
  }
  PeftAdapter out;
  out.path = folder;
  JsonLimits limits;
  limits.max_bytes = kMaxConfigBytes;
  JIKJI_ASSIGN(const json::value config, ParseJsonFile(config_file.string(), limits));
  if (!config.is_object()) {
    return Fail(ErrorCode::kMalformed, "must be a JSON object", config_file.string());
  }
  JIKJI_ASSIGN(out.config, ReadPeftConfig(config.get_object(), config_file.string()));
  JIKJI_ASSIGN(out.file, MappedFile::Open(weights_file));
  JIKJI_ASSIGN(SafetensorsFile parsed, ParseSafetensors(out.file.bytes(), weights_file.string()));
  JIKJI_RETURN_IF_ERROR(
      Finder(out, base, *family, std::move(parsed.tensors), weights_file.string()).Find());
  std::vector<const TensorView*> views = {&out.embedding, &out.head};
  for (const AdaptedMatrix& matrix : out.matrices) {
    for (const TensorView* view : {&matrix.a, &matrix.b, &matrix.magnitude}) views.push_back(view);
  }
  for (const TensorView* view : views) {
    if (!view->data.empty()) JIKJI_RETURN_IF_ERROR(CheckFinite(*view, weights_file.string()));
  }
  return out;
}

Result<LowRankRows> LowRankRows::Unpack(const AdaptedMatrix& matrix, float scale) {
  LowRankRows out;
  out.rank_ = matrix.a.rows();
  out.scale_ = scale;
  JIKJI_ASSIGN(out.a_, UnpackTensor(matrix.a));
  JIKJI_ASSIGN(out.b_, UnpackTensor(matrix.b));
  if (!matrix.magnitude.data.empty()) {
    JIKJI_ASSIGN(out.magnitude_, UnpackTensor(matrix.magnitude));
  }
  return out;
}

void LowRankRows::Add(int64_t r, std::span<float> row) const {
  for (int64_t k = 0; k < rank_; ++k) {
    const float factor = scale_ * b_[static_cast<size_t>(r * rank_ + k)];
    const float* a = a_.data() + k * static_cast<int64_t>(row.size());
    for (size_t c = 0; c < row.size(); ++c) row[c] += factor * a[c];
  }
}

float LowRankRows::Gain(int64_t r, std::span<const float> row) const {
  if (magnitude_.empty()) return 1;
  double squares = 0;
  for (const float value : row) squares += double{value} * value;
  return static_cast<float>(double{magnitude_[static_cast<size_t>(r)]} / std::sqrt(squares));
}

std::vector<float> LowRankRows::Gains(
    int64_t rows, int64_t cols,
    const std::function<void(int64_t r, std::span<float> row)>& base_row, ThreadPool& pool) const {
  constexpr size_t kGrainRows = 16;
  std::vector<float> gains(static_cast<size_t>(rows));
  pool.ParallelFor(gains.size(), kGrainRows, [&](size_t begin, size_t end) {
    std::vector<float> row(static_cast<size_t>(cols));
    for (size_t r = begin; r < end; ++r) {
      base_row(static_cast<int64_t>(r), row);
      Add(static_cast<int64_t>(r), row);
      gains[r] = Gain(static_cast<int64_t>(r), row);
    }
  });
  return gains;
}

}  // namespace jikji
