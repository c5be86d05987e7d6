// A model on disk: a Hugging Face folder (config.json, safetensors, shard index) or one GGUF file,
// mapped and validated.
//
// Contract: every length, offset and name was checked before Open returns; nothing in the file is
// executed; the views point into the mapping and live as long as the Checkpoint. Non-goals: names'
// meaning (model/), sub-byte float types, pickle.
#ifndef JIKJI_TENSOR_CHECKPOINT_H_
#define JIKJI_TENSOR_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/gguf_metadata.h"
#include "tensor/tensor.h"

namespace jikji {

enum class CheckpointFormat { kHuggingFace, kGguf };

class Checkpoint {
 public:
  // `path` is a folder with config.json and *.safetensors, or a .gguf file.
  static Result<std::shared_ptr<const Checkpoint>> Open(const std::filesystem::path& path);

  virtual ~Checkpoint() = default;

  CheckpointFormat format() const { return format_; }
  const std::filesystem::path& path() const { return path_; }

  // Tensors of every supported type, sorted by name. A tensor of another type fails Open, which
  // names it.
  std::span<const TensorView> tensors() const { return tensors_; }
  // nullptr where there is none.
  const TensorView* Find(std::string_view name) const;

  uint64_t total_bytes() const;

  // Lets a tensor's bytes leave memory; they come back where they are read again.
  virtual void Release(const TensorView& tensor) const = 0;

  // GGUF key-values; empty for a folder.
  const GgufMetadata& metadata() const { return metadata_; }

 protected:
  CheckpointFormat format_ = CheckpointFormat::kHuggingFace;
  std::filesystem::path path_;
  std::vector<TensorView> tensors_;
  GgufMetadata metadata_;
};

}  // namespace jikji

#endif  // JIKJI_TENSOR_CHECKPOINT_H_
