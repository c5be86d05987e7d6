#include "app/model_digest.h"

#include <algorithm>
#include <vector>

#include "app/model_path.h"
#include "base/file.h"
#include "store/digest.h"

namespace jikji {
namespace {

// A card or a licence may change without the model's changing.
bool IsPart(const std::filesystem::path& file) {
  constexpr std::string_view kEndings[] = {".safetensors", ".gguf", ".json", ".model", ".jinja"};
  return std::ranges::find(kEndings, file.extension().string()) != std::end(kEndings);
}

Result<std::string> DigestPath(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) {
    for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
      if (entry.is_regular_file(failed) && IsPart(entry.path())) files.push_back(entry.path());
    }
  } else {
    files.push_back(path);
  }
  if (failed) return Fail(ErrorCode::kIo, failed.message(), path.string());
  std::ranges::sort(files);
  std::string list;
  for (const auto& file : files) {
    JIKJI_ASSIGN(const MappedFile content, MappedFile::Open(file));
    const std::string_view bytes(reinterpret_cast<const char*>(content.bytes().data()),
                                 content.bytes().size());
    list += file.filename().string() + ' ' + HexOf(BytesOf(Sha256Of({bytes}))) + '\n';
  }
  return "sha256:" + HexOf(BytesOf(Sha256Of({list})));
}

}  // namespace

Result<ModelDigests> DigestAll(const std::string& wanted, std::span<const NamedAdapter> adapters) {
  ModelDigests digests;
  JIKJI_ASSIGN(const std::filesystem::path path, FindModel(wanted));
  JIKJI_ASSIGN(digests.model, DigestPath(path));
  for (const NamedAdapter& adapter : adapters) {
    JIKJI_ASSIGN(digests.adapters.emplace_back(), DigestPath(adapter.folder));
  }
  return digests;
}

}  // namespace jikji
