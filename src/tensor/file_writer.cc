#include "tensor/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace jikji {
namespace {

std::unexpected<Error> SystemError(const char* doing, const std::filesystem::path& path) {
  return Fail(ErrorCode::kIo, std::string("cannot ") + doing + ": " + std::strerror(errno),
              path.string());
}

// Takes the file's whole room at once, so that a full disk is known before hours of work.
Result<> Reserve(int fd, uint64_t bytes, const std::filesystem::path& path) {
  const auto length = static_cast<off_t>(bytes);
  if (fallocate(fd, 0, 0, length) == 0) return {};
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
    return Fail(ErrorCode::kIo,
                "there is no room for the " + std::to_string(bytes) +
                    " bytes of the new file: " + std::strerror(errno),
                path.string());
  }
  // Not every file system can; there the end is set, and a full disk shows in a write.
  if (ftruncate(fd, length) != 0) return SystemError("resize", path);
  return {};
}

Result<> WriteAt(int fd, std::span<const std::byte> bytes, uint64_t offset,
                 const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t done = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return SystemError("write", path);
    bytes = bytes.subspan(static_cast<size_t>(done));
    offset += static_cast<uint64_t>(done);
  }
  return {};
}

}  // namespace

Result<TensorFileWriter> TensorFileWriter::Create(const std::filesystem::path& path,
                                                  FileLayout layout) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Fail(ErrorCode::kInvalidArgument, "is a folder: name a file", path.string());
  }
  TensorFileWriter writer;
  writer.path_ = path;
  writer.temporary_ = path.string() + ".XXXXXX";
  writer.fd_ = mkostemp(writer.temporary_.data(), O_CLOEXEC);
  if (writer.fd_ < 0) return SystemError("create", writer.temporary_);
  writer.places_ = std::move(layout.places);
  writer.written_.assign(writer.places_.size(), 0);
  JIKJI_RETURN_IF_ERROR(Reserve(writer.fd_, layout.file_bytes, path));
  JIKJI_RETURN_IF_ERROR(
      WriteAt(writer.fd_, std::as_bytes(std::span(layout.header)), 0, writer.temporary_));
  return writer;
}

TensorFileWriter::TensorFileWriter(TensorFileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)),
      places_(std::move(other.places_)),
      written_(std::move(other.written_)) {}

TensorFileWriter& TensorFileWriter::operator=(TensorFileWriter&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  std::swap(fd_, other.fd_);
  std::swap(places_, other.places_);
  std::swap(written_, other.written_);
  return *this;
}

TensorFileWriter::~TensorFileWriter() { Abandon(); }

void TensorFileWriter::Abandon() {
  if (fd_ < 0) return;
  close(std::exchange(fd_, -1));
  unlink(temporary_.c_str());
}

Result<> TensorFileWriter::Append(size_t tensor, std::span<const std::byte> bytes) {
  if (fd_ < 0 || tensor >= places_.size()) {
    return Fail(ErrorCode::kInvalidArgument, "no tensor " + std::to_string(tensor) + " to write",
                path_.string());
  }
  const FileLayout::Place& place = places_[tensor];
  if (bytes.size() > place.bytes - written_[tensor]) {
    return Fail(ErrorCode::kInvalidArgument,
                "more bytes for tensor " + std::to_string(tensor) + " than its shape has",
                path_.string());
  }
  JIKJI_RETURN_IF_ERROR(WriteAt(fd_, bytes, place.offset + written_[tensor], temporary_));
  written_[tensor] += bytes.size();
  return {};
}

Result<> TensorFileWriter::Finish() {
  if (fd_ < 0) return Fail(ErrorCode::kInvalidArgument, "finished already", path_.string());
  for (size_t i = 0; i < places_.size(); ++i) {
    if (written_[i] != places_[i].bytes) {
      return Fail(ErrorCode::kInvalidArgument,
                  "tensor " + std::to_string(i) + " has " + std::to_string(written_[i]) + " of " +
                      std::to_string(places_[i].bytes) + " bytes",
                  path_.string());
    }
  }
  if (fchmod(fd_, 0644) != 0 || fsync(fd_) != 0) return SystemError("sync", temporary_);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError("rename", path_);
  close(std::exchange(fd_, -1));
  return {};
}

}  // namespace jikji
