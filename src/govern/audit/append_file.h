// A file that is written at its end by one process.
#ifndef JIKJI_GOVERN_AUDIT_APPEND_FILE_H_
#define JIKJI_GOVERN_AUDIT_APPEND_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace jikji::audit {

class AppendFile {
 public:
  // Locks it: kUnavailable if another process has. Cuts it to Resize before the first Append.
  static Result<AppendFile> Open(const std::filesystem::path& path);
  AppendFile() = default;
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();

  Result<> Resize(uint64_t size);
  // Writes and syncs. After an error the bytes may be there in part; the next Append writes over
  // them.
  Result<> Append(std::string_view bytes);
  uint64_t size() const { return size_; }

 private:
  int file_ = -1;
  uint64_t size_ = 0;
  std::filesystem::path path_;
};

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_APPEND_FILE_H_
