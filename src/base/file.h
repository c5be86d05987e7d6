// Files: read whole, map read-only, write so that a reader sees the old or the new, never between.
#ifndef JIKJI_BASE_FILE_H_
#define JIKJI_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"

namespace jikji {

// The whole file as bytes; an error if it is larger than `max_bytes`.
Result<std::string> ReadFile(const std::filesystem::path& path, uint64_t max_bytes = 1ull << 30);

// Writes beside the target, syncs, then renames over it.
Result<> WriteFileAtomic(const std::filesystem::path& path, std::string_view content);

// A file mapped read-only for as long as the object lives. Movable; the bytes do not move with it.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::filesystem::path& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Lets the whole pages within `part`, which is of bytes(), leave this process's memory. What is
  // read again comes back from the file.
  void Release(std::span<const std::byte> part) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  std::filesystem::path path_;
};

// A file open for reading, for as long as the object lives. Movable.
class OpenFile final : public ByteSource {
 public:
  static Result<OpenFile> Open(const std::filesystem::path& path);

  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile() override;

  int descriptor() const override { return descriptor_; }
  uint64_t size() const override { return size_; }  // when it was opened
  Result<> Read(uint64_t offset, std::span<char> into) const override;

 private:
  OpenFile(int descriptor, uint64_t size, std::filesystem::path path)
      : descriptor_(descriptor), size_(size), path_(std::move(path)) {}

  int descriptor_ = -1;
  uint64_t size_ = 0;
  std::filesystem::path path_;
};

// Makes the names in a folder outlive a power failure: files made, renamed or removed in it.
Result<> SyncFolder(const std::filesystem::path& folder);

// Tells the system that these bytes of a mapped file are done with for now: what is read once from
// a large file then does not stay in memory. Whole pages within `bytes` only; they may be read
// again.
void DropMappedPages(std::span<const std::byte> bytes);

}  // namespace jikji

#endif  // JIKJI_BASE_FILE_H_
