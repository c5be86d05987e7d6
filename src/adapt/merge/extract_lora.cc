#include "adapt/merge/extract_lora.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <utility>

#include "adapt/merge/truncated_svd.h"
#include "adapt/weights/hf_model.h"
#include "adapt/weights/peft_folder.h"
#include "base/file.h"
#include "model/peft_adapter.h"
#include "tensor/file_writer.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

// One tensor of the adapter: values, or a tensor of the tuned model as it lies in its file.
struct Made {
  TensorSpec spec;
  std::vector<float> values = {};
  std::span<const std::byte> copied = {};

  std::span<const std::byte> bytes() const {
    return values.empty() ? copied : std::as_bytes(std::span(values));
  }
};

class Extractor {
 public:
  Extractor(const HfModel& tuned, const HfModel& base, int64_t rank, ThreadPool& pool)
      : tuned_(tuned), base_(base), rank_(rank), pool_(pool) {}

  Result<> Run(const std::function<void(double)>& progress) {
    const std::vector<TensorNeed> needs = TensorsOf(base_.spec);
    size_t done = 0;
    for (const TensorNeed& need : needs) {
      const bool rows = need.role == TensorRole::kEmbedding || need.role == TensorRole::kHead;
      if (!rows || !extended_) JIKJI_RETURN_IF_ERROR(Extract(need));
      if (progress) progress(static_cast<double>(++done) / static_cast<double>(needs.size()));
    }
    if (made_.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "no projection differs from the base: there is nothing to extract",
                  tuned_.path.string());
    }
    if (extended_) {
      JIKJI_RETURN_IF_ERROR(AddRows(TensorRole::kEmbedding, TensorRole::kEmbedding));
      JIKJI_RETURN_IF_ERROR(AddRows(
          TensorRole::kHead, tuned_.spec.tied_head ? TensorRole::kEmbedding : TensorRole::kHead));
    }
    report_.kept = total_ > 0 ? kept_ / total_ : 1;
    return {};
  }

  Result<> Write(const fs::path& out) const {
    std::vector<TensorSpec> specs;
    for (const Made& made : made_) specs.push_back(made.spec);
    JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(out));
    // The product is B · A itself.
    const PeftConfig config{.rank = rank_,
                            .alpha = static_cast<double>(rank_),
                            .saves_embedding = extended_,
                            .saves_head = extended_};
    JIKJI_RETURN_IF_ERROR(
        folder.WriteJson("adapter_config.json", PeftConfigJson(config, roles_, base_.path)));
    JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors({{"format", "pt"}}, specs));
    JIKJI_ASSIGN(
        TensorFileWriter writer,
        TensorFileWriter::Create(folder.path() / "adapter_model.safetensors", std::move(layout)));
    size_t number = 0;
    for (const Made& made : made_) {
      JIKJI_RETURN_IF_ERROR(writer.Append(number++, made.bytes()));
    }
    JIKJI_RETURN_IF_ERROR(writer.Finish());
    if (extended_) {
      for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
        JIKJI_RETURN_IF_ERROR(folder.CopyFrom(tuned_.path, name));
      }
    }
    return folder.Finish();
  }

  const ExtractReport& report() const { return report_; }

 private:
  // The tuned model's tensor of role `from`, whole.
  Result<> AddRows(TensorRole role, TensorRole from) {
    JIKJI_ASSIGN(const TensorView* tensor, tuned_.Find(from, -1));
    made_.push_back(
        {.spec = {PeftTensorName(base_.NameOf(role, -1), "weight"), tensor->dtype, tensor->shape},
         .copied = tensor->data});
    return {};
  }

  Result<> Extract(const TensorNeed& need) {
    const std::string name = base_.NameOf(need.role, need.layer);
    JIKJI_ASSIGN(const TensorView* from, base_.Find(need.role, need.layer));
    JIKJI_ASSIGN(const TensorView* to, tuned_.Find(need.role, need.layer));
    if (from->shape != need.shape || to->shape != need.shape) {
      return Fail(ErrorCode::kInvalidArgument,
                  "has another shape in one of the models: an adapter needs the same", name);
    }
    if (from->dtype == to->dtype && std::ranges::equal(from->data, to->data)) return {};
    if (need.layer < 0 || need.shape.size() != 2) {
      report_.left_out.push_back(name);
      return {};
    }
    JIKJI_ASSIGN(std::vector<float> difference, UnpackTensor(*to));
    {
      JIKJI_ASSIGN(const std::vector<float> values, UnpackTensor(*from));
      for (size_t i = 0; i < values.size(); ++i) difference[i] -= values[i];
    }
    base_.checkpoint->Release(*from);
    tuned_.checkpoint->Release(*to);
    double energy = 0;
    for (const float value : difference) energy += double{value} * value;
    if (!std::isfinite(energy)) return Fail(ErrorCode::kMalformed, "is not finite", name);
    if (energy == 0) return {};  // the same values in another type
    const int64_t rows = need.shape[0], cols = need.shape[1];
    if (rank_ > std::min(rows, cols)) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("a rank of {} is more than the matrix has", rank_), name);
    }
    const TruncatedSvd svd = LargestSingularValues(difference, rows, cols, rank_, pool_);
    total_ += energy;
    for (const double value : svd.values) kept_ += value * value;
    Append(need, name, svd);
    return {};
  }

  // Half of each singular value to either side.
  void Append(const TensorNeed& need, const std::string& name, const TruncatedSvd& svd) {
    const int64_t rows = need.shape[0], cols = need.shape[1];
    Made& a = made_.emplace_back(
        Made{.spec = {PeftTensorName(name, "lora_A.weight"), DType::kF32, {rank_, cols}},
             .values = svd.right});
    Made& b = made_.emplace_back(
        Made{.spec = {PeftTensorName(name, "lora_B.weight"), DType::kF32, {rows, rank_}},
             .values = std::vector<float>(svd.left.size())});
    for (int64_t k = 0; k < rank_; ++k) {
      const auto half = static_cast<float>(std::sqrt(svd.values[static_cast<size_t>(k)]));
      for (int64_t c = 0; c < cols; ++c) a.values[static_cast<size_t>(k * cols + c)] *= half;
      for (int64_t r = 0; r < rows; ++r) {
        b.values[static_cast<size_t>(r * rank_ + k)] =
            half * svd.left[static_cast<size_t>(k * rows + r)];
      }
    }
    if (std::ranges::find(roles_, need.role) == roles_.end()) roles_.push_back(need.role);
    ++report_.matrices;
  }

  const HfModel& tuned_;
  const HfModel& base_;
  int64_t rank_;
  ThreadPool& pool_;
  const bool extended_ = tuned_.spec.vocab != base_.spec.vocab;
  std::list<Made> made_;
  std::vector<TensorRole> roles_;
  double total_ = 0, kept_ = 0;
  ExtractReport report_;
};

}  // namespace

Result<ExtractReport> ExtractLora(const fs::path& tuned_path, const fs::path& base_path,
                                  const fs::path& out, int64_t rank, ThreadPool& pool,
                                  const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(const HfModel tuned, HfModel::Open(tuned_path));
  JIKJI_ASSIGN(const HfModel base, HfModel::Open(base_path));
  if (tuned.spec.family != base.spec.family ||
      tuned.spec.layers.size() != base.spec.layers.size()) {
    return Fail(ErrorCode::kInvalidArgument, "is not a fine-tuned model of that base",
                tuned_path.string());
  }
  Extractor extractor(tuned, base, rank, pool);
  JIKJI_RETURN_IF_ERROR(extractor.Run(progress));
  JIKJI_RETURN_IF_ERROR(extractor.Write(out));
  return extractor.report();
}

}  // namespace jikji
