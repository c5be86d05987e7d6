#include "adapt/convert/convert.h"

#include <utility>

#include "adapt/convert/model_plan.h"
#include "adapt/weights/model_folder.h"
#include "tensor/checkpoint.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

ConvertReport ReportOf(const TensorPlan& plan) {
  ConvertReport report;
  for (const PlannedTensor& tensor : plan.tensors) {
    ++report.tensors;
    report.bytes += tensor.spec.Bytes().value_or(0);
  }
  return report;
}

Result<ConvertReport> ToGguf(const fs::path& in, const fs::path& out, const ConvertOptions& options,
                             ThreadPool& pool, const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(const GgufPlan plan, PlanGguf(in, options.type));
  JIKJI_ASSIGN(FileLayout layout, LayoutGguf(plan.metadata, SpecsOf(plan.tensors)));
  JIKJI_ASSIGN(TensorFileWriter writer, TensorFileWriter::Create(out, std::move(layout)));
  JIKJI_RETURN_IF_ERROR(WritePlanned(plan.tensors, writer, pool, progress));
  JIKJI_RETURN_IF_ERROR(writer.Finish());
  ConvertReport report = ReportOf(plan);
  report.has_tokenizer = plan.has_tokenizer;
  return report;
}

Result<ConvertReport> ToFolder(const fs::path& in, const fs::path& out,
                               const ConvertOptions& options, ThreadPool& pool,
                               const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(const FolderPlan plan, PlanFolder(in, options.type));
  JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(out));
  JIKJI_RETURN_IF_ERROR(folder.WriteJson("config.json", plan.config));
  if (plan.tokenizer) JIKJI_RETURN_IF_ERROR(folder.WriteJson("tokenizer.json", *plan.tokenizer));
  if (plan.tokenizer_config) {
    JIKJI_RETURN_IF_ERROR(folder.WriteJson("tokenizer_config.json", *plan.tokenizer_config));
  }
  JIKJI_RETURN_IF_ERROR(folder.WriteWeights(plan.tensors, options.shard_bytes, pool, progress));
  JIKJI_RETURN_IF_ERROR(folder.Finish());
  ConvertReport report = ReportOf(plan);
  report.has_tokenizer = plan.tokenizer.has_value();
  return report;
}

}  // namespace

Result<ConvertReport> Convert(const fs::path& in, const fs::path& out,
                              const ConvertOptions& options, ThreadPool& pool,
                              const std::function<void(double)>& progress) {
  std::error_code ignored;
  if (!fs::exists(in, ignored)) {
    return Fail(ErrorCode::kNotFound, "no such file or folder", in.string());
  }
  const bool from_folder = fs::is_directory(in, ignored);
  const bool to_gguf = out.extension() == ".gguf";
  if (from_folder != to_gguf) {
    return Fail(ErrorCode::kInvalidArgument,
                from_folder ? "is to come of a folder: name a .gguf file"
                            : "is to come of a GGUF file: name a folder",
                out.string());
  }
  return to_gguf ? ToGguf(in, out, options, pool, progress)
                 : ToFolder(in, out, options, pool, progress);
}

}  // namespace jikji
