// Content-addressed files: a blob is named by the SHA-256 of its bytes and never changes.
//
// Contract: a blob is under its name only once all its bytes are on the disk and its digest was
// right; a killed writer leaves a file in `incoming/` and nothing else. Putting the same bytes
// twice is one blob. Which blobs are needed is not known here: Remove is for whoever knows (the
// hub's collector). Thread-safe; several programs may share a folder.
// A blob is stored plain, its very bytes, or compact: as differences to plain blobs
// (compact/recipe.h), or both at once for a while. Readers are told the bytes and not the form.
// Which blobs may be compact, and that what they are made from stays, is for whoever calls.
// Layout: ROOT/blobs/ab/<64 digits>, ROOT/blobs/ab/<64 digits>.compact, ROOT/incoming/<random>.
#ifndef JIKJI_STORE_BLOB_STORE_H_
#define JIKJI_STORE_BLOB_STORE_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/file.h"
#include "store/compact/compact_writer.h"
#include "store/digest.h"
#include "store/sha256_in_step.h"

namespace jikji {

// A blob on its way in: written front to back, or in parts anywhere. Unless it was published, its
// file goes when this is destroyed.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&& other) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;
  ~BlobWriter();

  // The next bytes. kResourceExhausted: the disk is full.
  Result<> Write(std::string_view piece);
  uint64_t size() const { return size_; }

  // Brings the bytes to the disk; what they are named by. Once, before Publish.
  Result<Digest> Seal();
  // Gives the sealed blob its name.
  Result<> Publish();

 private:
  friend class BlobStore;
  BlobWriter(std::filesystem::path root, std::filesystem::path path, int descriptor)
      : root_(std::move(root)), path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path root_;
  std::filesystem::path path_;
  int descriptor_;
  uint64_t size_ = 0;
  Sha256InStep hash_;
  Digest digest_{};
};

// A blob's bytes, however it is stored. Cheap to copy; stays readable whatever is removed.
class Blob {
 public:
  explicit Blob(std::shared_ptr<const ByteSource> source) : source_(std::move(source)) {}

  uint64_t size() const { return source_->size(); }
  // Exactly `into.size()` bytes from `offset` on. kIo: what is stored is damaged.
  Result<> Read(uint64_t offset, std::span<char> into) const { return source_->Read(offset, into); }
  const std::shared_ptr<const ByteSource>& source() const { return source_; }

 private:
  std::shared_ptr<const ByteSource> source_;
};

// A file of the store that has its name.
struct StoredFile {
  Digest digest{};
  bool compact = false;
  uint64_t bytes = 0;  // on the disk
};

Result<Digest> DigestOf(const ByteSource& source);

class BlobStore {
 public:
  // Makes the folders where they are absent.
  static Result<BlobStore> Open(const std::filesystem::path& root);

  Result<BlobWriter> Begin() const;
  // Writes, seals and publishes.
  Result<Digest> Put(std::string_view bytes) const;

  // kNotFound where there is none.
  Result<Blob> OpenBlob(const Digest& digest) const;
  // For readers that want a file: a name of the blob's where it is plain (do not write there), and
  // its bytes written out where it is compact. kInvalidArgument where `path` exists.
  Result<> PlaceAt(const Digest& digest, const std::filesystem::path& path) const;
  // For readers that want all bytes side by side. A compact blob is written out to a file that is
  // gone with the object.
  Result<MappedFile> Map(const Digest& digest) const;

  // Where the plain and the compact file are, or would be.
  std::filesystem::path PathOf(const Digest& digest) const;
  std::filesystem::path CompactPathOf(const Digest& digest) const;

  // Writes a compact file of the blob `recipe.digest`, which is plain as its sources are, reads it
  // back, holds the bytes to the digest, and brings it to the disk. It is left in `incoming/` and
  // told by its path; PublishCompact gives it its name.
  struct Packed {
    std::filesystem::path path;
    CompactSizes sizes;
  };
  Result<Packed> Pack(const CompactRecipe& recipe, ThreadPool& pool) const;
  Result<> PublishCompact(const Packed& packed, const Digest& digest) const;
  // That the compact file gives the blob, whether or not a plain one stands beside it.
  Result<> CheckCompact(const Digest& digest) const;
  // What it would be, from all its bytes or, by EstimateCompact, from some.
  Result<CompactSizes> Measure(const CompactRecipe& recipe, ThreadPool& pool) const;
  Result<uint64_t> Estimate(const CompactRecipe& recipe, ThreadPool& pool) const;

  // No error where there is none.
  Result<> Remove(const StoredFile& file) const;
  // Every file that has its name, in no order: a blob that is stored in both forms twice.
  Result<> ForEach(const std::function<Result<>(const StoredFile& file)>& visit) const;
  // Removes files of writers that were last heard of before `age` ago; how many.
  Result<size_t> RemoveAbandoned(std::chrono::seconds age) const;

  // For files that are put together from parts: a path in `incoming/`, `name` of letters, digits
  // and `-` alone.
  std::filesystem::path PartialPath(std::string_view name) const;
  // Hashes a file of `incoming/` that is whole, and brings it to the disk; Publish does the rest.
  Result<BlobWriter> Adopt(const std::filesystem::path& partial) const;

 private:
  explicit BlobStore(std::filesystem::path root) : root_(std::move(root)) {}
  Result<CompactSources> OpenSources(const CompactRecipe& recipe) const;
  std::filesystem::path root_;
};

}  // namespace jikji

#endif  // JIKJI_STORE_BLOB_STORE_H_
