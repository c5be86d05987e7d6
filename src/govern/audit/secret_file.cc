#include "govern/audit/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace jikji::audit {
namespace {

std::unexpected<Error> SystemFailed(const char* what, const std::filesystem::path& path) {
  return Fail(errno == EEXIST ? ErrorCode::kInvalidArgument : ErrorCode::kIo,
              std::string("cannot ") + what + ": " + std::strerror(errno), path.string());
}

Result<> WriteAll(int file, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemFailed("write", path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file) != 0) return SystemFailed("sync", path);
  return {};
}

Result<> SyncFolder(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  if (!synced) return SystemFailed("sync", folder);
  return {};
}

}  // namespace

Result<> WriteSecretFile(const std::filesystem::path& path, std::string_view content) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return SystemFailed("create", path);
  Result<> written = WriteAll(file, content, path);
  close(file);
  if (!written) {
    unlink(path.c_str());
    return written;
  }
  return SyncFolder(path);
}

Result<> DestroySecretFile(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) {
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                std::string("cannot destroy the key: ") + std::strerror(errno), path.string());
  }
  const off_t size = lseek(file, 0, SEEK_END);
  lseek(file, 0, SEEK_SET);
  Result<> written = WriteAll(file, std::string(static_cast<size_t>(size), '\0'), path);
  close(file);
  JIKJI_RETURN_IF_ERROR(std::move(written));
  if (unlink(path.c_str()) != 0) return SystemFailed("remove", path);
  return SyncFolder(path);
}

}  // namespace jikji::audit
