// Content-addressed files: a blob is named by the SHA-256 of its bytes and never changes.
//
// Contract: a blob is under its name only once all its bytes are on the disk and its digest was
// right; a killed writer leaves a file in `incoming/` and nothing else. Putting the same bytes
// twice is one blob. Which blobs are needed is not known here: Remove is for whoever knows (the
// hub's collector). Thread-safe; several programs may share a folder.
// Layout: ROOT/blobs/ab/<64 digits>, ROOT/incoming/<random>.
#ifndef JIKJI_STORE_BLOB_STORE_H_
#define JIKJI_STORE_BLOB_STORE_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "store/digest.h"

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
  Sha256Stream hash_;
  Digest digest_{};
};

class BlobStore {
 public:
  // Makes the folders where they are absent.
  static Result<BlobStore> Open(const std::filesystem::path& root);

  Result<BlobWriter> Begin() const;
  // Writes, seals and publishes.
  Result<Digest> Put(std::string_view bytes) const;

  // kNotFound where there is none.
  Result<OpenFile> OpenBlob(const Digest& digest) const;
  std::filesystem::path PathOf(const Digest& digest) const;

  // No error where there is none.
  Result<> Remove(const Digest& digest) const;
  // Every blob that has its name, in no order.
  Result<> ForEach(const std::function<Result<>(const Digest& digest, uint64_t size)>& visit) const;
  // Removes files of writers that were last heard of before `age` ago; how many.
  Result<size_t> RemoveAbandoned(std::chrono::seconds age) const;

  // For files that are put together from parts: a path in `incoming/`, `name` of letters, digits
  // and `-` alone.
  std::filesystem::path PartialPath(std::string_view name) const;
  // Hashes a file of `incoming/` that is whole, and brings it to the disk; Publish does the rest.
  Result<BlobWriter> Adopt(const std::filesystem::path& partial) const;

 private:
  explicit BlobStore(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace jikji

#endif  // JIKJI_STORE_BLOB_STORE_H_
