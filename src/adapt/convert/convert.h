// A model from one format to the other: a Hugging Face folder to a GGUF file, or back.
//
// Contract: weights keep their bits where they keep their type; the tokenizer gives the same tokens
// and the chat template is carried (vocabulary.h). Streams; what is under the new name is whole
// (tensor/file_writer.h; a folder is made beside its name and renamed). Non-goals: quantising
// (adapt/quantise), formats with pickled code.
#ifndef JIKJI_ADAPT_CONVERT_CONVERT_H_
#define JIKJI_ADAPT_CONVERT_CONVERT_H_

#include <filesystem>
#include <functional>
#include <optional>

#include "adapt/weights/model_folder.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/dtype.h"

namespace jikji {

struct ConvertOptions {
  // Of the matrices; nullopt: each keeps its own, which is an error where it is quantised and the
  // target is a folder.
  std::optional<DType> type;
  uint64_t shard_bytes = kShardBytes;  // of a folder's files
};

struct ConvertReport {
  int64_t tensors = 0;
  uint64_t bytes = 0;          // of the new tensors
  bool has_tokenizer = false;  // false: there was none to carry
};

// `out` is a GGUF file where it ends in .gguf, else a folder that does not exist or is empty; `in`
// is the other one.
Result<ConvertReport> Convert(const std::filesystem::path& in, const std::filesystem::path& out,
                              const ConvertOptions& options, ThreadPool& pool,
                              const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_CONVERT_H_
