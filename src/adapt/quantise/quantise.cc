#include "adapt/quantise/quantise.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "adapt/weights/weight_plan.h"
#include "tensor/checkpoint.h"

namespace jikji {
namespace {

constexpr std::string_view kEmbedding = "token_embd.weight";
constexpr std::string_view kHead = "output.weight";

// `general.file_type`, as llama.cpp numbers what most of a file's matrices are.
uint64_t FileType(DType type) {
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
  }
  std::unreachable();
}

// The version of ggml's block layouts: tensor/dtype.h's.
constexpr uint64_t kQuantisationVersion = 2;

bool FitsRows(DType type, int64_t cols) {
  return RowBytes(type, static_cast<uint64_t>(cols)).has_value();
}

DType TypeOf(const TensorView& tensor, bool is_head, const QuantiseOptions& options) {
  if (tensor.shape.size() < 2 || tensor.name.ends_with("_norm.weight")) return DType::kF32;
  DType type = options.type;
  const bool coarse = type == DType::kQ4_0 || type == DType::kQ4_K || type == DType::kQ5_K;
  if (is_head && coarse && !options.pure) type = DType::kQ6_K;
  if (FitsRows(type, tensor.cols())) return type;
  return FitsRows(DType::kQ8_0, tensor.cols()) ? DType::kQ8_0 : DType::kF16;
}

Result<> CheckSource(const TensorView& tensor, DType type, const QuantiseOptions& options,
                     const std::filesystem::path& in) {
  if (!IsQuantised(tensor.dtype) || tensor.dtype == type || options.requantise) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("`{}` is {} already: give the model in F32, F16 or BF16, or --requantize "
                          "to add one error to the other",
                          tensor.name, DTypeName(tensor.dtype)),
              in.string());
}

GgufMetadata WithTypes(const GgufMetadata& metadata, DType type) {
  GgufMetadata out;
  out.Insert("general.file_type", FileType(type));
  if (IsQuantised(type)) out.Insert("general.quantization_version", kQuantisationVersion);
  for (const auto& [key, value] : metadata.entries()) {
    if (key != "general.quantization_version") out.Insert(key, value);  // the first stays
  }
  return out;
}

}  // namespace

Result<QuantiseReport> Quantise(const std::filesystem::path& in, const std::filesystem::path& out,
                                const QuantiseOptions& options, ThreadPool& pool,
                                const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(const auto checkpoint, Checkpoint::Open(in));
  if (checkpoint->format() != CheckpointFormat::kGguf) {
    return Fail(ErrorCode::kUnsupported, "is a folder: give a GGUF file", in.string());
  }
  std::vector<PlannedTensor> plan;
  QuantiseReport report;
  const bool tied = checkpoint->Find(kHead) == nullptr;
  for (const TensorView& tensor : checkpoint->tensors()) {
    const bool is_head = tensor.name == (tied ? kEmbedding : kHead);
    const DType type = TypeOf(tensor, is_head, options);
    JIKJI_RETURN_IF_ERROR(CheckSource(tensor, type, options, in));
    plan.push_back({{tensor.name, type, tensor.shape}, tensor, {}});
    JIKJI_ASSIGN(const uint64_t bytes, plan.back().spec.Bytes());
    report.bytes_in += tensor.data.size();
    report.bytes_out += bytes;
    ++report.types[type].tensors;
    report.types[type].bytes += bytes;
  }
  // In the order of the file that is read, which is then read from end to end.
  std::ranges::sort(plan, std::less<>(),
                    [](const PlannedTensor& t) { return t.source.data.data(); });
  JIKJI_ASSIGN(FileLayout layout,
               LayoutGguf(WithTypes(checkpoint->metadata(), options.type), SpecsOf(plan)));
  JIKJI_ASSIGN(TensorFileWriter writer, TensorFileWriter::Create(out, std::move(layout)));
  JIKJI_RETURN_IF_ERROR(WritePlanned(plan, writer, pool, progress));
  JIKJI_RETURN_IF_ERROR(writer.Finish());
  return report;
}

}  // namespace jikji
