#include "tensor/checkpoint.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "tensor/gguf.h"
#include "tensor/quoted.h"
#include "tensor/safetensors.h"
#include "tensor/shard_index.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxIndexBytes = 64ull << 20;  // 100,000 tensors take some 10 MiB

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool ByName(const TensorView& a, const TensorView& b) { return a.name < b.name; }

// What a folder without safetensors has instead, to say it in the error.
std::string OtherWeights(const fs::path& folder) {
  std::error_code ignored;
  if (Exists(folder / "adapter_config.json")) {
    return ", which holds an adapter: serve its base with `--adapter NAME=FOLDER`, or make one "
           "model "
           "of both by `jikji adapt merge`";
  }
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string extension = entry.path().extension().string();
    const std::string name = entry.path().filename().string();
    if (extension == ".bin" || extension == ".pt" || extension == ".pth" || extension == ".ckpt") {
      return "; " + Quoted(name) +
             " may hold pickled code, which is never run: get the model's safetensors";
    }
    if (extension == ".gguf") return "; give the path of " + Quoted(name) + " itself";
  }
  return "";
}

class MappedCheckpoint : public Checkpoint {
 public:
  Result<> OpenGguf(const fs::path& path) {
    format_ = CheckpointFormat::kGguf;
    path_ = path;
    JIKJI_ASSIGN(MappedFile file, MappedFile::Open(path));
    JIKJI_ASSIGN(GgufFile parsed, ParseGguf(file.bytes(), path.string()));
    JIKJI_ASSIGN(const auto parts, parsed.metadata.Int("split.count"));
    if (parts.value_or(1) > 1) {
      return Fail(ErrorCode::kUnsupported,
                  "one of " + std::to_string(*parts) +
                      " parts of a GGUF file; join them with llama-gguf-split --merge",
                  path.string());
    }
    tensors_ = std::move(parsed.tensors);
    metadata_ = std::move(parsed.metadata);
    files_.push_back(std::move(file));
    return {};
  }

  Result<> OpenFolder(const fs::path& folder) {
    format_ = CheckpointFormat::kHuggingFace;
    path_ = folder;
    if (!Exists(folder / "config.json")) {
      return Fail(ErrorCode::kNotFound, "no config.json in the folder" + OtherWeights(folder),
                  folder.string());
    }
    const fs::path single = folder / "model.safetensors";
    const fs::path index = folder / "model.safetensors.index.json";
    if (Exists(single)) return AddFile(single, nullptr);
    if (!Exists(index)) {
      return Fail(ErrorCode::kNotFound,
                  "neither model.safetensors nor model.safetensors.index.json in the folder" +
                      OtherWeights(folder),
                  folder.string());
    }
    JIKJI_ASSIGN(const std::string text, ReadFile(index, kMaxIndexBytes));
    JIKJI_ASSIGN(const ShardIndex shards, ParseShardIndex(text, index.string()));
    for (const auto& [file, names] : shards) {
      JIKJI_RETURN_IF_ERROR(AddFile(folder / file, &names));
    }
    // No name comes twice: each is in the index once, and each file holds what the index says.
    std::sort(tensors_.begin(), tensors_.end(), ByName);
    return {};
  }

  void Release(const TensorView& tensor) const override {
    const std::byte* const data = tensor.data.data();
    for (const MappedFile& file : files_) {
      const std::span<const std::byte> bytes = file.bytes();
      if (data >= bytes.data() && data < bytes.data() + bytes.size()) file.Release(tensor.data);
    }
  }

 private:
  // Maps a safetensors file; its tensors must be those of `names`, if there are any.
  Result<> AddFile(const fs::path& path, const std::vector<std::string>* names) {
    JIKJI_ASSIGN(MappedFile file, MappedFile::Open(path));
    JIKJI_ASSIGN(SafetensorsFile parsed, ParseSafetensors(file.bytes(), path.string()));
    if (names != nullptr) JIKJI_RETURN_IF_ERROR(CheckNames(parsed.tensors, *names, path));
    tensors_.insert(tensors_.end(), std::make_move_iterator(parsed.tensors.begin()),
                    std::make_move_iterator(parsed.tensors.end()));
    files_.push_back(std::move(file));
    return {};
  }

  // Both are sorted.
  static Result<> CheckNames(const std::vector<TensorView>& tensors,
                             const std::vector<std::string>& names, const fs::path& path) {
    for (size_t i = 0; i < std::max(tensors.size(), names.size()); ++i) {
      const bool has_tensor = i < tensors.size();
      if (i < names.size() && (!has_tensor || names[i] < tensors[i].name)) {
        return Fail(ErrorCode::kMalformed,
                    "the index says that the tensor " + Quoted(names[i]) +
                        " is in this file, and it is not",
                    path.string());
      }
      if (has_tensor && (i >= names.size() || tensors[i].name < names[i])) {
        return Fail(ErrorCode::kMalformed,
                    "the file has the tensor " + Quoted(tensors[i].name) +
                        ", which the index does not say is in it",
                    path.string());
      }
    }
    return {};
  }

  std::vector<MappedFile> files_;
};

}  // namespace

Result<std::shared_ptr<const Checkpoint>> Checkpoint::Open(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    return Fail(ErrorCode::kNotFound, "no such file or folder", path.string());
  }
  auto checkpoint = std::make_shared<MappedCheckpoint>();
  if (fs::is_directory(status)) {
    JIKJI_RETURN_IF_ERROR(checkpoint->OpenFolder(path));
  } else if (path.extension() == ".safetensors") {
    return Fail(ErrorCode::kInvalidArgument,
                "give the folder that holds config.json, not the file of the weights",
                path.string());
  } else {
    JIKJI_RETURN_IF_ERROR(checkpoint->OpenGguf(path));
  }
  return checkpoint;
}

const TensorView* Checkpoint::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const TensorView& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

uint64_t Checkpoint::total_bytes() const {
  uint64_t bytes = 0;
  for (const TensorView& tensor : tensors_) bytes += tensor.data.size();
  return bytes;
}

}  // namespace jikji
