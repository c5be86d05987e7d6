#include "adapt/merge/merge_adapter.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapt/weights/hf_model.h"
#include "adapt/weights/model_folder.h"
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

}  // namespace

Result<int64_t> MergeAdapter(const fs::path& adapter_path, const fs::path& base_path,
                             const fs::path& out, std::optional<DType> dtype, ThreadPool& pool,
                             const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(HfModel base, HfModel::Open(base_path));
  JIKJI_ASSIGN(const PeftAdapter adapter, PeftAdapter::Open(adapter_path, base.spec));
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
  JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(out));
  JIKJI_RETURN_IF_ERROR(CopyOtherFiles(base.path, folder));
  JIKJI_RETURN_IF_ERROR(folder.WriteJson("config.json", base.config));
  JIKJI_RETURN_IF_ERROR(folder.WriteWeights(plan, kShardBytes, pool, progress));
  JIKJI_RETURN_IF_ERROR(folder.Finish());
  return static_cast<int64_t>(adapter.matrices.size());
}

}  // namespace jikji
