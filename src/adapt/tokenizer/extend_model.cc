#include "adapt/tokenizer/extend_model.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <list>
#include <utility>

#include "adapt/weights/hf_model.h"
#include "adapt/weights/model_folder.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

// Rows from `first` on, as they were and with the new tokens' in their places: [rows, cols].
Result<std::vector<float>> NewRows(const TensorView& tensor, const ExtendedTokenizer& extended,
                                   int64_t rows) {
  const int64_t first = extended.first, cols = tensor.cols();
  const auto width = static_cast<size_t>(cols);
  std::vector<float> out(static_cast<size_t>(rows) * width);
  const int64_t kept = std::min(rows, tensor.rows() - first);
  JIKJI_RETURN_IF_ERROR(
      UnpackRows(tensor, first, kept, std::span(out).first(static_cast<size_t>(kept) * width)));
  std::vector<float> part(width);
  std::vector<double> sum(width);
  for (size_t i = 0; i < extended.parts.size(); ++i) {
    std::ranges::fill(sum, 0.0);
    for (const TokenId id : extended.parts[i]) {
      JIKJI_RETURN_IF_ERROR(UnpackRows(tensor, id, 1, part));
      for (size_t j = 0; j < width; ++j) sum[j] += part[j];
    }
    const auto count = static_cast<double>(extended.parts[i].size());
    for (size_t j = 0; j < width; ++j) out[i * width + j] = static_cast<float>(sum[j] / count);
  }
  return out;
}

}  // namespace

Result<> ExtendModel(const fs::path& in, const fs::path& out, const ExtendedTokenizer& extended,
                     ThreadPool& pool, const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(HfModel model, HfModel::Open(in));
  const DecoderSpec& spec = model.spec;
  const int64_t rows =
      std::max(spec.vocab, extended.first + static_cast<int64_t>(extended.parts.size()));
  if (extended.first > spec.vocab) {
    return Fail(ErrorCode::kMalformed,
                fmt::format("the tokenizer has {} tokens, but the model only {} embeddings: they "
                            "do not belong together",
                            extended.first, spec.vocab),
                in.string());
  }
  const std::string embedding = model.NameOf(TensorRole::kEmbedding, -1);
  const std::string head = model.NameOf(TensorRole::kHead, -1);
  std::vector<PlannedTensor> plan;
  std::list<std::vector<float>> made;
  for (const TensorView& tensor : model.checkpoint->tensors()) {
    PlannedTensor planned{.spec = {tensor.name, tensor.dtype, tensor.shape}, .source = tensor};
    if (tensor.name == embedding || tensor.name == head) {
      if (tensor.shape != std::vector<int64_t>{spec.vocab, spec.hidden}) {
        return Fail(ErrorCode::kMalformed, "is not of the shape that config.json gives it",
                    tensor.name);
      }
      JIKJI_ASSIGN(std::vector<float> added, NewRows(tensor, extended, rows - extended.first));
      const auto& values = made.emplace_back(std::move(added));
      planned.spec.shape[0] = rows;
      planned.source.shape[0] = extended.first;
      planned.source.data =
          tensor.data.first(tensor.data.size() / static_cast<uint64_t>(spec.vocab) *
                            static_cast<uint64_t>(extended.first));
      planned.tail = {tensor.name,
                      DType::kF32,
                      {rows - extended.first, spec.hidden},
                      std::as_bytes(std::span(values))};
    }
    plan.push_back(std::move(planned));
  }
  model.config["vocab_size"] = rows;
  JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(out));
  JIKJI_RETURN_IF_ERROR(CopyOtherFiles(in, folder));
  // Of the old vocabulary: tokenizer.json, written below, says it all.
  for (const char* old : {"vocab.json", "merges.txt", "tokenizer.model"}) {
    std::error_code ignored;
    fs::remove(folder.path() / old, ignored);
  }
  JIKJI_RETURN_IF_ERROR(folder.WriteJson("config.json", model.config));
  JIKJI_RETURN_IF_ERROR(folder.WriteJson("tokenizer.json", extended.root));
  JIKJI_RETURN_IF_ERROR(folder.WriteWeights(plan, kShardBytes, pool, progress));
  return folder.Finish();
}

}  // namespace jikji
