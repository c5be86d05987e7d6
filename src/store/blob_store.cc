#include "store/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "store/compact/compact_blob.h"
#include "store/read_pieces.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCompactSuffix = ".compact";

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

Result<> WriteAll(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write", path);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<> CopyTo(int descriptor, const Blob& blob, const fs::path& path) {
  return ReadPieces(*blob.source(),
                    [&](std::string_view piece) { return WriteAll(descriptor, piece, path); });
}

Result<std::shared_ptr<const ByteSource>> OpenPlain(const BlobStore& store, const Digest& digest) {
  JIKJI_ASSIGN(OpenFile file, OpenFile::Open(store.PathOf(digest)));
  return std::make_shared<const OpenFile>(std::move(file));
}

Result<std::shared_ptr<const CompactBlob>> OpenCompact(const BlobStore& store, const fs::path& path,
                                                       const Digest& digest) {
  JIKJI_ASSIGN(OpenFile file, OpenFile::Open(path));
  return CompactBlob::Open(std::make_shared<const OpenFile>(std::move(file)), digest,
                           [&](const Digest& source) { return OpenPlain(store, source); });
}

Result<Blob> OpenInAnyForm(const BlobStore& store, const Digest& digest) {
  auto plain = OpenPlain(store, digest);
  if (plain) return Blob(*std::move(plain));
  if (plain.error().code != ErrorCode::kNotFound) return std::unexpected(plain.error());
  const fs::path path = store.CompactPathOf(digest);
  if (access(path.c_str(), F_OK) != 0) return std::unexpected(plain.error());
  JIKJI_ASSIGN(auto compact, OpenCompact(store, path, digest));
  return Blob(std::move(compact));
}

}  // namespace

Result<Digest> DigestOf(const ByteSource& source) {
  Sha256Stream hash;
  JIKJI_RETURN_IF_ERROR(ReadPieces(source, [&](std::string_view piece) -> Result<> {
    hash.Update(piece);
    return {};
  }));
  return hash.Finish();
}

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
  return WriteAll(descriptor_, piece, path_);
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

fs::path BlobStore::CompactPathOf(const Digest& digest) const {
  return PathOf(digest).string() + std::string(kCompactSuffix);
}

Result<Blob> BlobStore::OpenBlob(const Digest& digest) const {
  for (int attempt = 0;; ++attempt) {
    auto opened = OpenInAnyForm(*this, digest);
    // Between two looks a blob may have changed its form, and what it was made from be gone.
    if (opened || opened.error().code != ErrorCode::kNotFound) return opened;
    if (attempt < 2) continue;
    if (access(CompactPathOf(digest).c_str(), F_OK) != 0) return opened;
    return Fail(ErrorCode::kIo, "what the blob is made from is gone: " + opened.error().ToString(),
                HexOf(digest));
  }
}

Result<> BlobStore::PlaceAt(const Digest& digest, const fs::path& path) const {
  if (link(PathOf(digest).c_str(), path.c_str()) == 0) return {};
  JIKJI_ASSIGN(const Blob blob, OpenBlob(digest));
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (descriptor < 0 && errno == EEXIST) {
    return Fail(ErrorCode::kInvalidArgument, "there is a file already", path.string());
  }
  if (descriptor < 0) return SystemError("create", path);
  auto copied = CopyTo(descriptor, blob, path);
  if (close(descriptor) != 0 && copied) copied = SystemError("write", path);
  if (!copied) unlink(path.c_str());
  return copied;
}

Result<MappedFile> BlobStore::Map(const Digest& digest) const {
  auto plain = MappedFile::Open(PathOf(digest));
  if (plain || plain.error().code != ErrorCode::kNotFound) return plain;
  JIKJI_ASSIGN(const std::string name, RandomHex(16));
  const fs::path path = PartialPath(name);
  JIKJI_RETURN_IF_ERROR(PlaceAt(digest, path));
  auto mapped = MappedFile::Open(path);
  unlink(path.c_str());
  return mapped;
}

Result<CompactSources> BlobStore::OpenSources(const CompactRecipe& recipe) const {
  CompactSources out;
  for (const Digest& source : recipe.sources) {
    JIKJI_ASSIGN(auto opened, OpenPlain(*this, source));
    out.push_back(std::move(opened));
  }
  return out;
}

Result<BlobStore::Packed> BlobStore::Pack(const CompactRecipe& recipe, ThreadPool& pool) const {
  JIKJI_ASSIGN(const auto plain, OpenPlain(*this, recipe.digest));
  JIKJI_ASSIGN(const CompactSources sources, OpenSources(recipe));
  JIKJI_ASSIGN(const std::string name, RandomHex(16));
  Packed out{PartialPath(name), {}};
  const int descriptor = open(out.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return SystemError("create", out.path);
  const auto write = [&]() -> Result<> {
    JIKJI_ASSIGN(out.sizes, WriteCompact(recipe, *plain, sources, pool, descriptor));
    if (fchmod(descriptor, 0444) != 0 || fsync(descriptor) != 0) {
      return SystemError("sync", out.path);
    }
    JIKJI_ASSIGN(const auto blob, OpenCompact(*this, out.path, recipe.digest));
    JIKJI_ASSIGN(const Digest digest, DigestOf(*blob));
    if (digest == recipe.digest) return {};
    return Fail(ErrorCode::kIo, "what was written compact is not the blob; the blob is damaged",
                HexOf(recipe.digest));
  };
  const auto written = write();
  close(descriptor);
  if (written) return out;
  unlink(out.path.c_str());
  return std::unexpected(written.error());
}

Result<> BlobStore::CheckCompact(const Digest& digest) const {
  JIKJI_ASSIGN(const auto blob, OpenCompact(*this, CompactPathOf(digest), digest));
  JIKJI_ASSIGN(const Digest found, DigestOf(*blob));
  if (found == digest) return {};
  return Fail(ErrorCode::kIo, "the compact file gives other bytes than the blob's", HexOf(digest));
}

Result<> BlobStore::PublishCompact(const Packed& packed, const Digest& digest) const {
  const fs::path target = CompactPathOf(digest);
  JIKJI_RETURN_IF_ERROR(MakeFolder(target.parent_path()));
  if (rename(packed.path.c_str(), target.c_str()) != 0) return SystemError("rename", packed.path);
  return SyncFolder(target.parent_path());
}

Result<CompactSizes> BlobStore::Measure(const CompactRecipe& recipe, ThreadPool& pool) const {
  JIKJI_ASSIGN(const auto plain, OpenPlain(*this, recipe.digest));
  JIKJI_ASSIGN(const CompactSources sources, OpenSources(recipe));
  return WriteCompact(recipe, *plain, sources, pool, -1);
}

Result<uint64_t> BlobStore::Estimate(const CompactRecipe& recipe, ThreadPool& pool) const {
  JIKJI_ASSIGN(const auto plain, OpenPlain(*this, recipe.digest));
  JIKJI_ASSIGN(const CompactSources sources, OpenSources(recipe));
  return EstimateCompact(recipe, *plain, sources, pool);
}

Result<> BlobStore::Remove(const StoredFile& file) const {
  const fs::path path = file.compact ? CompactPathOf(file.digest) : PathOf(file.digest);
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return SystemError("remove", path);
}

Result<> BlobStore::ForEach(const std::function<Result<>(const StoredFile& file)>& visit) const {
  std::error_code error;
  for (fs::recursive_directory_iterator it(root_ / "blobs", error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    StoredFile file;
    file.compact = name.ends_with(kCompactSuffix);
    if (file.compact) name.resize(name.size() - kCompactSuffix.size());
    const auto digest = ParseDigest(name);
    std::error_code gone;
    if (!digest || !it->is_regular_file(gone)) continue;
    file.digest = *digest;
    file.bytes = it->file_size(gone);
    if (gone) continue;
    JIKJI_RETURN_IF_ERROR(visit(file));
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
  JIKJI_RETURN_IF_ERROR(ReadPieces(file, [&](std::string_view piece) -> Result<> {
    writer.hash_.Update(piece);
    writer.size_ += piece.size();
    return {};
  }));
  return writer;
}

}  // namespace jikji
