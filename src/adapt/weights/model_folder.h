// Writes a Hugging Face folder so that it appears under its name whole or not at all.
//
// Contract: files are made in a folder beside the name, which Finish renames; a folder that is
// destroyed unfinished leaves nothing. The name must be free, or an empty folder's.
#ifndef JIKJI_ADAPT_WEIGHTS_MODEL_FOLDER_H_
#define JIKJI_ADAPT_WEIGHTS_MODEL_FOLDER_H_

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "adapt/weights/weight_plan.h"
#include "base/error.h"
#include "base/thread_pool.h"

namespace jikji {

// As transformers parts them.
inline constexpr uint64_t kShardBytes = 5ull << 30;

// File names of weights in so many parts: model.safetensors, or model-00001-of-00002.safetensors
// and so on.
std::string ShardName(size_t shard, size_t shards);

class ModelFolder {
 public:
  static Result<ModelFolder> Create(const std::filesystem::path& path);
  ModelFolder(ModelFolder&& other) noexcept;
  ModelFolder& operator=(ModelFolder&& other) noexcept;
  ~ModelFolder();

  // Where files may be written until Finish.
  const std::filesystem::path& path() const { return temporary_; }

  Result<> WriteJson(const std::string& name, const boost::json::value& value);
  Result<> WriteText(const std::string& name, std::string_view text);
  // Copies the file of that name of `folder`, where there is one.
  Result<> CopyFrom(const std::filesystem::path& folder, const std::string& name);
  // safetensors of at most `shard_bytes` each (a larger tensor has one of its own), and their
  // index.
  Result<> WriteWeights(std::span<const PlannedTensor> tensors, uint64_t shard_bytes,
                        ThreadPool& pool, const std::function<void(double)>& progress = {});

  Result<> Finish();

 private:
  ModelFolder() = default;

  std::filesystem::path path_, temporary_;
};

}  // namespace jikji

#endif  // JIKJI_ADAPT_WEIGHTS_MODEL_FOLDER_H_
