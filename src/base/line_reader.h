// Lines of a text file, plain or compressed with zstd (`.zst`), one after another.
//
// Contract: of the file no more is in memory than a block and the line at hand. A line ends at \n,
// which is not part of it, nor is a \r before it; the last may lack it. Longer lines than
// kMaxLineBytes, and a file that is cut short, are errors with the line's number. A byte order mark
// of UTF-8 (Excel and Notepad write one) is no part of the first. Else bytes are given as they are:
// whether they are UTF-8 is the caller's question. Non-goals: other compressions.
#ifndef JIKJI_BASE_LINE_READER_H_
#define JIKJI_BASE_LINE_READER_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

inline constexpr size_t kMaxLineBytes = 64u << 20;  // a conversation has some KiB, a book some MiB

class LineReader {
 public:
  static Result<LineReader> Open(const std::filesystem::path& path);
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  // The next line, which lives until the next call; nullopt at the end of the file.
  Result<std::optional<std::string_view>> Next();

  // Of the line that Next gave last; the first is 1.
  int64_t line() const { return line_; }
  // Of the file as it lies on the disk, so far and in all.
  uint64_t bytes_read() const;
  uint64_t bytes_total() const;

 private:
  struct Source;
  explicit LineReader(std::unique_ptr<Source> source);

  std::unique_ptr<Source> source_;
  std::string buffer_;
  size_t at_ = 0;  // of the buffer: where the next line begins
  bool ended_ = false;
  int64_t line_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_BASE_LINE_READER_H_
