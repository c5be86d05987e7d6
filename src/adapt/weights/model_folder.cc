#include "adapt/weights/model_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/file.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::unexpected<Error> SystemError(const char* doing, const fs::path& path) {
  return Fail(ErrorCode::kIo, std::string("cannot ") + doing + ": " + std::strerror(errno),
              path.string());
}

// Two spaces a level, as transformers writes these files.
void Pretty(const json::value& value, std::string& out, size_t depth) {
  const std::string indent(2 * (depth + 1), ' ');
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    // A vocabulary has 100,000 entries: deep down, one line does.
    if (depth >= 1) {
      out += json::serialize(value);
      return;
    }
    out += "{\n";
    size_t i = 0;
    for (const auto& [key, inner] : *object) {
      out += indent + json::serialize(json::string(key)) + ": ";
      Pretty(inner, out, depth + 1);
      out += ++i < object->size() ? ",\n" : "\n";
    }
    out += std::string(2 * depth, ' ') + "}";
    return;
  }
  out += json::serialize(value);
}

}  // namespace

std::string ShardName(size_t shard, size_t shards) {
  if (shards == 1) return "model.safetensors";
  return fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards);
}

Result<ModelFolder> ModelFolder::Create(const fs::path& path) {
  ModelFolder folder;
  // "models/new/" and "models/new" are one.
  folder.path_ = path.filename().empty() ? path.parent_path() : path;
  std::error_code error;
  if (fs::exists(folder.path_, error) &&
      !(fs::is_directory(folder.path_, error) && fs::is_empty(folder.path_, error))) {
    return Fail(ErrorCode::kInvalidArgument, "is there already, and is not an empty folder",
                path.string());
  }
  std::string pattern = folder.path_.string() + ".XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return SystemError("create", pattern);
  folder.temporary_ = pattern;
  return folder;
}

ModelFolder::ModelFolder(ModelFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, fs::path())) {}

ModelFolder& ModelFolder::operator=(ModelFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  return *this;
}

ModelFolder::~ModelFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Result<> ModelFolder::WriteJson(const std::string& name, const json::value& value) {
  std::string text;
  Pretty(value, text, 0);
  return WriteText(name, text + "\n");
}

Result<> ModelFolder::WriteText(const std::string& name, std::string_view text) {
  return WriteFileAtomic(temporary_ / name, text);
}

Result<> ModelFolder::CopyFrom(const fs::path& folder, const std::string& name) {
  std::error_code error;
  if (!fs::exists(folder / name, error)) return {};
  JIKJI_ASSIGN(const std::string text, ReadFile(folder / name));
  return WriteText(name, text);
}

Result<> ModelFolder::WriteWeights(std::span<const PlannedTensor> tensors, uint64_t shard_bytes,
                                   ThreadPool& pool, const std::function<void(double)>& progress) {
  // Tensors in the order given; a new shard begins where the next would be too much.
  std::vector<size_t> begins = {0};
  std::vector<uint64_t> sizes = {0};
  for (size_t i = 0; i < tensors.size(); ++i) {
    JIKJI_ASSIGN(const uint64_t bytes, tensors[i].spec.Bytes());
    if (sizes.back() > 0 && bytes > shard_bytes - std::min(shard_bytes, sizes.back())) {
      begins.push_back(i);
      sizes.push_back(0);
    }
    sizes.back() += bytes;
  }
  begins.push_back(tensors.size());
  uint64_t total = 0, done = 0;
  for (const uint64_t size : sizes) total += size;
  json::object map;
  for (size_t shard = 0; shard < sizes.size(); ++shard) {
    const auto part = tensors.subspan(begins[shard], begins[shard + 1] - begins[shard]);
    const std::string name = ShardName(shard, sizes.size());
    for (const PlannedTensor& tensor : part) map[tensor.spec.name] = name;
    JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors({{"format", "pt"}}, SpecsOf(part)));
    JIKJI_ASSIGN(TensorFileWriter writer,
                 TensorFileWriter::Create(temporary_ / name, std::move(layout)));
    JIKJI_RETURN_IF_ERROR(WritePlanned(part, writer, pool, [&](double share) {
      if (!progress) return;
      progress((static_cast<double>(done) + share * static_cast<double>(sizes[shard])) /
               static_cast<double>(std::max<uint64_t>(total, 1)));
    }));
    JIKJI_RETURN_IF_ERROR(writer.Finish());
    done += sizes[shard];
  }
  if (sizes.size() == 1) return {};
  return WriteJson("model.safetensors.index.json",
                   json::object{{"metadata", {{"total_size", total}}}, {"weight_map", map}});
}

Result<> ModelFolder::Finish() {
  if (chmod(temporary_.c_str(), 0755) != 0) return SystemError("open to others", temporary_);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError("rename", path_);
  temporary_.clear();
  return {};
}

}  // namespace jikji
