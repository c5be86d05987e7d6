#include "govern/audit/append_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace jikji::audit {

Result<AppendFile> AppendFile::Open(const std::filesystem::path& path) {
  AppendFile opened;
  opened.path_ = path;
  opened.file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (opened.file_ < 0) {
    return Fail(ErrorCode::kIo, std::string("cannot open: ") + std::strerror(errno), path.string());
  }
  if (flock(opened.file_, LOCK_EX | LOCK_NB) != 0) {
    return Fail(ErrorCode::kUnavailable, "another process writes this audit log", path.string());
  }
  opened.size_ = static_cast<uint64_t>(lseek(opened.file_, 0, SEEK_END));
  return opened;
}

AppendFile::AppendFile(AppendFile&& other) noexcept { *this = std::move(other); }

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

AppendFile::~AppendFile() {
  if (file_ >= 0) close(file_);
}

Result<> AppendFile::Resize(uint64_t size) {
  if (ftruncate(file_, static_cast<off_t>(size)) != 0) {
    return Fail(ErrorCode::kIo, std::string("cannot cut: ") + std::strerror(errno), path_.string());
  }
  size_ = size;
  return {};
}

Result<> AppendFile::Append(std::string_view bytes) {
  const auto failed = [this](const char* what) {
    return Fail(ErrorCode::kIo, std::string("cannot ") + what + ": " + std::strerror(errno),
                path_.string());
  };
  uint64_t at = size_;
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t written = pwrite(file_, rest.data(), rest.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write");
    rest.remove_prefix(static_cast<size_t>(written));
    at += static_cast<uint64_t>(written);
  }
  if (fdatasync(file_) != 0) return failed("sync");
  size_ = at;
  return {};
}

}  // namespace jikji::audit
