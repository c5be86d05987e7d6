#include "hub/client/piece_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadBytes = 1u << 20;

std::unexpected<Error> SystemError(const char* doing, const fs::path& path) {
  const int error = errno;
  return Fail(error == ENOSPC || error == EDQUOT ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
              std::string("cannot ") + doing + ": " + std::strerror(error), path.string());
}

fs::path With(const fs::path& target, const char* suffix) { return target.string() + suffix; }

}  // namespace

Result<PieceFile> PieceFile::Open(const fs::path& target, uint64_t size, uint64_t piece_bytes) {
  PieceFile file;
  file.target_ = target;
  file.size_ = size;
  file.piece_bytes_ = piece_bytes;
  file.marks_.assign((size + piece_bytes - 1) / piece_bytes, '0');
  if (!file.IsMarked()) return file;
  JIKJI_RETURN_IF_ERROR(file.Prepare());
  file.Close();
  return file;
}

Result<> PieceFile::Ensure() {
  const std::lock_guard lock(*mutex_);
  if (part_ >= 0) return {};
  part_ = open(part().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (IsMarked() ? 0 : O_TRUNC), 0644);
  if (part_ < 0) return SystemError("open", target_);
  if (!IsMarked()) return {};
  marks_file_ = open(With(target_, ".pieces").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (marks_file_ < 0) return SystemError("open", target_);
  return {};
}

void PieceFile::Close() {
  if (part_ >= 0) close(part_);
  if (marks_file_ >= 0) close(marks_file_);
  part_ = marks_file_ = -1;
}

Result<> PieceFile::Prepare() {
  JIKJI_RETURN_IF_ERROR(Ensure());
  struct stat part, marks;
  if (fstat(part_, &part) != 0 || fstat(marks_file_, &marks) != 0) {
    return SystemError("stat", target_);
  }
  if (static_cast<uint64_t>(part.st_size) == size_ &&
      static_cast<uint64_t>(marks.st_size) == marks_.size()) {
    if (pread(marks_file_, marks_.data(), marks_.size(), 0) !=
        static_cast<ssize_t>(marks_.size())) {
      return SystemError("read", With(target_, ".pieces"));
    }
    return {};
  }
  // The marks first: a file of the right size without them claims nothing. A new file is not cut to
  // nothing: ext4 takes that for a file that is replaced, and brings all of it to the disk when it
  // is closed.
  if (ftruncate(marks_file_, 0) != 0 ||
      pwrite(marks_file_, marks_.data(), marks_.size(), 0) != static_cast<ssize_t>(marks_.size()) ||
      (part.st_size > 0 && ftruncate(part_, 0) != 0) ||
      ftruncate(part_, static_cast<off_t>(size_)) != 0) {
    return SystemError("prepare", target_);
  }
  return {};
}

PieceFile::PieceFile(PieceFile&& other) noexcept
    : target_(std::move(other.target_)),
      size_(other.size_),
      piece_bytes_(other.piece_bytes_),
      mutex_(std::move(other.mutex_)),
      part_(std::exchange(other.part_, -1)),
      marks_file_(std::exchange(other.marks_file_, -1)),
      marks_(std::move(other.marks_)) {}

PieceFile::~PieceFile() { Close(); }

uint64_t PieceFile::End(size_t piece) const { return std::min(size_, (piece + 1) * piece_bytes_); }

Result<> PieceFile::Write(uint64_t offset, std::string_view bytes) {
  JIKJI_RETURN_IF_ERROR(Ensure());
  while (!bytes.empty()) {
    const ssize_t count = pwrite(part_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write", target_);
    offset += static_cast<uint64_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<> PieceFile::Mark(size_t piece) {
  marks_[piece] = '1';
  if (!IsMarked()) return {};
  JIKJI_RETURN_IF_ERROR(Ensure());
  if (pwrite(marks_file_, "1", 1, static_cast<off_t>(piece)) == 1) return {};
  return SystemError("write", With(target_, ".pieces"));
}

Result<Digest> PieceFile::Hash(size_t piece) {
  JIKJI_RETURN_IF_ERROR(Ensure());
  std::string buffer(kReadBytes, '\0');
  Sha256Stream hash;
  for (uint64_t at = Begin(piece); at < End(piece);) {
    const ssize_t count =
        pread(part_, buffer.data(), std::min<uint64_t>(kReadBytes, End(piece) - at),
              static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return SystemError("read", target_);
    hash.Update(std::string_view(buffer).substr(0, static_cast<size_t>(count)));
    at += static_cast<uint64_t>(count);
  }
  return hash.Finish();
}

Result<> PieceFile::Finish() {
  JIKJI_RETURN_IF_ERROR(Ensure());
  Close();
  if (rename(With(target_, ".part").c_str(), target_.c_str()) != 0) {
    return SystemError("rename", target_);
  }
  unlink(With(target_, ".pieces").c_str());
  return {};
}

}  // namespace jikji::hub
