#include "adapt/quantise/quantise.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "adapt/convert/model_plan.h"
#include "adapt/weights/weight_plan.h"
#include "tensor/checkpoint.h"

namespace jikji {
namespace {

constexpr std::string_view kEmbedding = "token_embd.weight";
constexpr std::string_view kHead = "output.weight";

// The version of ggml's block layouts: tensor/dtype.h's.
constexpr uint64_t kQuantisationVersion = 2;

bool FitsRows(DType type, int64_t cols) {
  return RowBytes(type, static_cast<uint64_t>(cols)).has_value();
}

DType TypeOf(const TensorSpec& tensor, bool is_head, const QuantiseOptions& options) {
  if (tensor.shape.size() < 2 || tensor.name.ends_with("_norm.weight")) return DType::kF32;
  DType type = options.type;
  const bool coarse = type == DType::kQ4_0 || type == DType::kQ4_K || type == DType::kQ5_K;
  if (is_head && coarse && !options.pure) type = DType::kQ6_K;
  const int64_t cols = tensor.shape.back();
  if (FitsRows(type, cols)) return type;
  return FitsRows(DType::kQ8_0, cols) ? DType::kQ8_0 : DType::kF16;
}

Result<> CheckSource(const PlannedTensor& tensor, const QuantiseOptions& options,
                     const std::filesystem::path& in) {
  const DType from = tensor.source.dtype;
  if (!IsQuantised(from) || from == tensor.spec.dtype || options.requantise) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("`{}` is {} already: give the model in F32, F16 or BF16, or --requantize "
                          "to add one error to the other",
                          tensor.spec.name, DTypeName(from)),
              in.string());
}

GgufMetadata WithTypes(const GgufMetadata& metadata, DType type) {
  GgufMetadata out;
  out.Insert("general.file_type", GgufFileType(type));
  if (IsQuantised(type)) out.Insert("general.quantization_version", kQuantisationVersion);
  for (const auto& [key, value] : metadata.entries()) {
    if (key != "general.quantization_version") out.Insert(key, value);  // the first stays
  }
  return out;
}

// The tensors of a GGUF file as they are, or those of a folder as GGUF has them.
Result<GgufPlan> PlanOf(const std::filesystem::path& in) {
  std::error_code ignored;
  if (std::filesystem::is_directory(in, ignored)) return PlanGguf(in, std::nullopt);
  GgufPlan plan;
  JIKJI_ASSIGN(plan.source, Checkpoint::Open(in));
  plan.metadata = plan.source->metadata();
  for (const TensorView& tensor : plan.source->tensors()) {
    plan.tensors.push_back({.spec = {tensor.name, tensor.dtype, tensor.shape}, .source = tensor});
  }
  return plan;
}

}  // namespace

Result<QuantiseReport> Quantise(const std::filesystem::path& in, const std::filesystem::path& out,
                                const QuantiseOptions& options, ThreadPool& pool,
                                const std::function<void(double)>& progress) {
  std::error_code ignored;
  if (std::filesystem::equivalent(in, out, ignored)) {
    return Fail(ErrorCode::kInvalidArgument,
                "is the model itself, which would be lost: name another file", out.string());
  }
  JIKJI_ASSIGN(GgufPlan plan, PlanOf(in));
  std::vector<PlannedTensor>& tensors = plan.tensors;
  QuantiseReport report;
  const bool tied = std::ranges::none_of(
      tensors, [](const PlannedTensor& tensor) { return tensor.spec.name == kHead; });
  for (PlannedTensor& tensor : tensors) {
    const bool is_head = tensor.spec.name == (tied ? kEmbedding : kHead);
    tensor.spec.dtype = TypeOf(tensor.spec, is_head, options);
    JIKJI_RETURN_IF_ERROR(CheckSource(tensor, options, in));
    JIKJI_ASSIGN(const uint64_t bytes, tensor.spec.Bytes());
    report.bytes_in += tensor.source.data.size();
    report.bytes_out += bytes;
    ++report.types[tensor.spec.dtype].tensors;
    report.types[tensor.spec.dtype].bytes += bytes;
  }
  // In the order of the file that is read, which is then read from end to end.
  std::ranges::sort(tensors, std::less<>(),
                    [](const PlannedTensor& tensor) { return tensor.source.data.data(); });
  JIKJI_ASSIGN(FileLayout layout,
               LayoutGguf(WithTypes(plan.metadata, options.type), SpecsOf(tensors)));
  JIKJI_ASSIGN(TensorFileWriter writer, TensorFileWriter::Create(out, std::move(layout)));
  JIKJI_RETURN_IF_ERROR(WritePlanned(tensors, writer, pool, progress));
  JIKJI_RETURN_IF_ERROR(writer.Finish());
  return report;
}

}  // namespace jikji
