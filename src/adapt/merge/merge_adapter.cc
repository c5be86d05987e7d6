#include "adapt/merge/merge_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapt/weights/hf_model.h"
#include "adapt/weights/model_folder.h"
#include "model/adapter_tokenizer.h"
#include "model/model.h"
#include "model/peft_adapter.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

// Rows that a thread takes at a time.
constexpr size_t kGrainRows = 16;

Result<std::vector<float>> Merged(const TensorView& base, const AdaptedMatrix& matrix, float scale,
                                  ThreadPool& pool) {
  JIKJI_ASSIGN(std::vector<float> values, UnpackTensor(base));
  JIKJI_ASSIGN(const LowRankRows added, LowRankRows::Unpack(matrix, scale));
  const auto cols = static_cast<size_t>(base.cols());
  pool.ParallelFor(static_cast<size_t>(base.rows()), kGrainRows, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      const std::span<float> row(values.data() + r * cols, cols);
      added.Add(static_cast<int64_t>(r), row);
      const float gain = added.Gain(static_cast<int64_t>(r), row);
      if (gain == 1) continue;
      for (float& value : row) value *= gain;
    }
  });
  return values;
}

// The adapter's embedding and head by the names of the tensors they replace.
Result<std::map<std::string, TensorView>> OwnRows(const PeftAdapter& adapter, const HfModel& base) {
  std::map<std::string, TensorView> out;
  const auto place = [&](TensorRole role, const TensorView& rows) {
    if (!rows.data.empty()) out.emplace(base.NameOf(role, -1), rows);
  };
  place(TensorRole::kEmbedding, adapter.embedding);
  if (!base.spec.tied_head) {
    place(TensorRole::kHead, adapter.head);
  } else if (!adapter.head.data.empty() &&
             (adapter.head.dtype != adapter.embedding.dtype ||
              !std::ranges::equal(adapter.head.data, adapter.embedding.data))) {
    return Fail(ErrorCode::kUnsupported,
                "its head is another than its embedding, and the base has one for both: it can be "
                "served beside the base, not merged",
                adapter.path.string());
  }
  return out;
}

// Before the work: what it brings must fit, or nobody could load what comes of it.
Result<> CheckOwnTokenizer(const PeftAdapter& adapter, const fs::path& base) {
  std::error_code ignored;
  const fs::path own_file = adapter.path / "tokenizer.json", base_file = base / "tokenizer.json";
  if (!fs::exists(own_file, ignored)) return {};
  JIKJI_ASSIGN(const auto own, LoadTokenizerJson(own_file));
  if (!fs::exists(base_file, ignored)) return {};
  JIKJI_ASSIGN(const auto bases, LoadTokenizerJson(base_file));
  return CheckAdapterTokenizer(*own, *bases, adapter);
}

// Where the adapter brings them, in the places of the base's.
Result<> CopyOwnTokenizer(const PeftAdapter& adapter, ModelFolder& folder) {
  std::error_code ignored;
  if (!fs::exists(adapter.path / "tokenizer.json", ignored)) return {};
  // Of the old vocabulary: tokenizer.json says it all.
  for (const char* old : {"vocab.json", "merges.txt", "tokenizer.model"}) {
    fs::remove(folder.path() / old, ignored);
  }
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
    JIKJI_RETURN_IF_ERROR(folder.CopyFrom(adapter.path, name));
  }
  return {};
}

}  // namespace

Result<int64_t> MergeAdapter(const fs::path& adapter_path, const fs::path& base_path,
                             const fs::path& out, std::optional<DType> dtype, ThreadPool& pool,
                             const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(HfModel base, HfModel::Open(base_path));
  JIKJI_ASSIGN(const PeftAdapter adapter, PeftAdapter::Open(adapter_path, base.spec));
  JIKJI_ASSIGN(const auto own_rows, OwnRows(adapter, base));
  JIKJI_RETURN_IF_ERROR(CheckOwnTokenizer(adapter, base.path));
  std::map<std::string, const AdaptedMatrix*> adapted;
  for (const AdaptedMatrix& matrix : adapter.matrices) {
    JIKJI_ASSIGN(const TensorView* tensor, base.Find(matrix.role, matrix.layer));
    if (tensor->rows() != matrix.b.rows() || tensor->cols() != matrix.a.cols()) {
      return Fail(ErrorCode::kMalformed, "is not of the shape that config.json gives it",
                  tensor->name);
    }
    adapted.emplace(tensor->name, &matrix);
  }
  const float scale = adapter.config.scale();
  std::vector<PlannedTensor> plan;
  for (const TensorView& tensor : base.checkpoint->tensors()) {
    const DType type = tensor.shape.size() > 1 ? dtype.value_or(tensor.dtype) : tensor.dtype;
    PlannedTensor planned{.spec = {tensor.name, type, tensor.shape}, .source = tensor};
    if (const auto own = own_rows.find(tensor.name); own != own_rows.end()) {
      planned.source = own->second;
      planned.spec.shape = own->second.shape;
    }
    if (const auto found = adapted.find(tensor.name); found != adapted.end()) {
      planned.make = [&base, &tensor, &pool, scale, matrix = found->second] {
        auto merged = Merged(tensor, *matrix, scale, pool);
        base.checkpoint->Release(tensor);
        return merged;
      };
    }
    plan.push_back(std::move(planned));
  }
  if (dtype) SetTorchType(base.config, *dtype);
  base.config["vocab_size"] = adapter.vocab;
  JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(out));
  JIKJI_RETURN_IF_ERROR(CopyOtherFiles(base.path, folder));
  JIKJI_RETURN_IF_ERROR(CopyOwnTokenizer(adapter, folder));
  JIKJI_RETURN_IF_ERROR(folder.WriteJson("config.json", base.config));
  JIKJI_RETURN_IF_ERROR(folder.WriteWeights(plan, kShardBytes, pool, progress));
  std::error_code ignored;
  if (fs::exists(folder.path() / "tokenizer.json", ignored)) {
    // Its template, say: a name that is given stands for a model that can be served.
    if (const auto made = DescribeModel(folder.path()); !made) {
      return Fail(made.error().code,
                  "what would come of it cannot be loaded: " + made.error().message,
                  adapter.path.string());
    }
  }
  JIKJI_RETURN_IF_ERROR(folder.Finish());
  return static_cast<int64_t>(adapter.matrices.size());
}

}  // namespace jikji
