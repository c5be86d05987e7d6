// A model in another format, planned: the new file's description, and for each of its tensors where
// it comes from (weights/weight_plan.h).
//
// Contract: names and the order of rows are the new format's, for every family that has both
// formats; a tensor that the model's configuration has no place for is an error. Vectors become F32
// in GGUF, as llama.cpp wants them, and in safetensors what the matrices are where that loses
// nothing.
#ifndef JIKJI_ADAPT_CONVERT_MODEL_PLAN_H_
#define JIKJI_ADAPT_CONVERT_MODEL_PLAN_H_

#include <boost/json.hpp>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapt/weights/weight_plan.h"
#include "base/error.h"
#include "model/decoder_spec.h"
#include "tensor/checkpoint.h"
#include "tensor/gguf_metadata.h"

namespace jikji {

struct TensorPlan {
  std::vector<PlannedTensor> tensors;
  std::list<std::vector<float>> made;  // what no file holds; the plan's views may point here
  std::shared_ptr<const Checkpoint> source;
};

// `type`: of the matrices; nullopt: each keeps its own.
struct GgufPlan : TensorPlan {
  GgufMetadata metadata;
  bool has_tokenizer = false;
};
Result<GgufPlan> PlanGguf(const std::filesystem::path& folder, std::optional<DType> type);

struct FolderPlan : TensorPlan {
  boost::json::object config;
  std::optional<boost::json::object> tokenizer, tokenizer_config;  // nullopt: the file has none
};
Result<FolderPlan> PlanFolder(const std::filesystem::path& gguf, std::optional<DType> type);

// `general.file_type`, as llama.cpp numbers what most of a file's matrices are.
uint64_t GgufFileType(DType type);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_MODEL_PLAN_H_
