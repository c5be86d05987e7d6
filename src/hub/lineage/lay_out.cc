#include "hub/lineage/lay_out.h"

#include <system_error>
#include <utility>

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> SystemError(const char* doing, const fs::path& path,
                                   const std::error_code& error) {
  return Fail(ErrorCode::kIo, std::string("cannot ") + doing + ": " + error.message(),
              path.string());
}

}  // namespace

Result<WorkFolder> WorkFolder::Make(const Hub& hub) {
  JIKJI_ASSIGN(const std::string name, RandomHex(8));
  WorkFolder folder(hub.blobs().PartialPath("work-" + name));
  std::error_code error;
  if (!fs::create_directory(folder.path_, error)) {
    return SystemError("make the folder", folder.path_, error);
  }
  return folder;
}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<> LayOut(const Hub& hub, const Listing& listing, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  for (const auto& [path, file] : listing) {
    const fs::path target = folder / path;
    if (!error) fs::create_directories(target.parent_path(), error);
    if (error) return SystemError("lay out the file", target, error);
    JIKJI_RETURN_IF_ERROR(hub.blobs().PlaceAt(file.digest, target));
  }
  if (error) return SystemError("make the folder", folder, error);
  return {};
}

}  // namespace jikji::hub
