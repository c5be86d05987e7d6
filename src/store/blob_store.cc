#include "store/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

namespace jikji {
namespace {

namespace fs = std::filesystem;

constexpr size_t kAdoptBytes = 1u << 20;

std::unexpected<Error> SystemError(const char* doing, const fs::path& path) {
  const int error = errno;
  const ErrorCode code = error == ENOSPC || error == EDQUOT || error == EFBIG
                             ? ErrorCode::kResourceExhausted
                         : error == ENOENT ? ErrorCode::kNotFound
                                           : ErrorCode::kIo;
  return Fail(code, std::string("cannot ") + doing + ": " + std::strerror(error), path.string());
}

fs::path FolderOf(const fs::path& root, const std::string& hex) {
  return root / "blobs" / hex.substr(0, 2);
}

// A folder and its name in the one above, on the disk.
Result<> MakeFolder(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0755) == 0) return SyncFolder(folder.parent_path());
  if (errno == EEXIST) return {};
  return SystemError("make the folder", folder);
}

}  // namespace

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : root_(std::move(other.root_)),
      path_(std::exchange(other.path_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      hash_(std::move(other.hash_)),
      digest_(other.digest_) {}

BlobWriter::~BlobWriter() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!path_.empty()) unlink(path_.c_str());
}

Result<> BlobWriter::Write(std::string_view piece) {
  hash_.Update(piece);
  size_ += piece.size();
  while (!piece.empty()) {
    const ssize_t count = write(descriptor_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write", path_);
    piece.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<Digest> BlobWriter::Seal() {
  if (fchmod(descriptor_, 0444) != 0 || fsync(descriptor_) != 0) return SystemError("sync", path_);
  digest_ = hash_.Finish();
  return digest_;
}

Result<> BlobWriter::Publish() {
  const std::string hex = HexOf(digest_);
  const fs::path folder = FolderOf(root_, hex);
  JIKJI_RETURN_IF_ERROR(MakeFolder(folder));
  const fs::path target = folder / hex;
  if (rename(path_.c_str(), target.c_str()) != 0) return SystemError("rename", path_);
  path_.clear();
  return SyncFolder(folder);
}

Result<BlobStore> BlobStore::Open(const fs::path& root) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) {
    return Fail(ErrorCode::kIo, "cannot make the folder: " + error.message(), root.string());
  }
  JIKJI_RETURN_IF_ERROR(MakeFolder(root / "blobs"));
  JIKJI_RETURN_IF_ERROR(MakeFolder(root / "incoming"));
  return BlobStore(root);
}

Result<BlobWriter> BlobStore::Begin() const {
  JIKJI_ASSIGN(const std::string name, RandomHex(16));
  const fs::path path = root_ / "incoming" / name;
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return SystemError("create", path);
  return BlobWriter(root_, path, descriptor);
}

Result<Digest> BlobStore::Put(std::string_view bytes) const {
  JIKJI_ASSIGN(BlobWriter writer, Begin());
  JIKJI_RETURN_IF_ERROR(writer.Write(bytes));
  JIKJI_ASSIGN(const Digest digest, writer.Seal());
  JIKJI_RETURN_IF_ERROR(writer.Publish());
  return digest;
}

fs::path BlobStore::PathOf(const Digest& digest) const {
  const std::string hex = HexOf(digest);
  return FolderOf(root_, hex) / hex;
}

Result<OpenFile> BlobStore::OpenBlob(const Digest& digest) const {
  return OpenFile::Open(PathOf(digest));
}

Result<> BlobStore::Remove(const Digest& digest) const {
  const fs::path path = PathOf(digest);
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return SystemError("remove", path);
}

Result<> BlobStore::ForEach(
    const std::function<Result<>(const Digest& digest, uint64_t size)>& visit) const {
  std::error_code error;
  for (fs::recursive_directory_iterator it(root_ / "blobs", error), end; !error && it != end;
       it.increment(error)) {
    const auto digest = ParseDigest(it->path().filename().string());
    std::error_code gone;
    if (!digest || !it->is_regular_file(gone)) continue;
    const uint64_t size = it->file_size(gone);
    if (gone) continue;
    JIKJI_RETURN_IF_ERROR(visit(*digest, size));
  }
  if (!error) return {};
  return Fail(ErrorCode::kIo, "cannot list the blobs: " + error.message(), root_.string());
}

Result<size_t> BlobStore::RemoveAbandoned(std::chrono::seconds age) const {
  std::error_code error;
  size_t removed = 0;
  const auto before = fs::file_time_type::clock::now() - age;
  for (fs::directory_iterator it(root_ / "incoming", error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    const auto written = fs::last_write_time(it->path(), gone);
    if (!gone && written <= before && fs::remove_all(it->path(), gone) > 0) ++removed;
  }
  if (!error) return removed;
  return Fail(ErrorCode::kIo, "cannot list what is incoming: " + error.message(), root_.string());
}

fs::path BlobStore::PartialPath(std::string_view name) const {
  return root_ / "incoming" / std::string(name);
}

Result<BlobWriter> BlobStore::Adopt(const fs::path& partial) const {
  JIKJI_ASSIGN(const OpenFile file, OpenFile::Open(partial));
  const int descriptor = open(partial.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("open", partial);
  BlobWriter writer(root_, partial, descriptor);
  std::vector<char> buffer(kAdoptBytes);
  while (writer.size_ < file.size()) {
    const size_t count = std::min<uint64_t>(buffer.size(), file.size() - writer.size_);
    JIKJI_RETURN_IF_ERROR(file.Read(writer.size_, std::span(buffer).first(count)));
    writer.hash_.Update({buffer.data(), count});
    writer.size_ += count;
  }
  return writer;
}

}  // namespace jikji
