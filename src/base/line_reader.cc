#include "base/line_reader.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/utf8.h"

namespace jikji {
namespace {

constexpr size_t kBlockBytes = 1u << 20;

}  // namespace

// Blocks of text, of a mapped file.
struct LineReader::Source {
  MappedFile file;
  size_t at = 0;
  ZSTD_DStream* stream = nullptr;  // nullptr: plain text
  bool frame_open = false;         // the compressed data so far ends within a frame
  std::vector<char> out;

  ~Source() { ZSTD_freeDStream(stream); }

  std::span<const std::byte> rest() const { return file.bytes().subspan(at); }

  // Appends some text; false at the end.
  Result<bool> Append(std::string& buffer) {
    return stream == nullptr ? AppendPlain(buffer) : AppendCompressed(buffer);
  }

  bool AppendPlain(std::string& buffer) {
    const auto block = rest().first(std::min(kBlockBytes, rest().size()));
    buffer.append(reinterpret_cast<const char*>(block.data()), block.size());
    at += block.size();
    DropMappedPages(block);
    return !block.empty();
  }

  Result<bool> AppendCompressed(std::string& buffer) {
    while (true) {
      if (rest().empty()) {
        if (!frame_open) return false;
        return Fail(ErrorCode::kMalformed, "the compressed file is cut short",
                    file.path().string());
      }
      ZSTD_inBuffer in = {rest().data(), rest().size(), 0};
      ZSTD_outBuffer made = {out.data(), out.size(), 0};
      const size_t left = ZSTD_decompressStream(stream, &made, &in);
      if (ZSTD_isError(left) != 0) {
        return Fail(ErrorCode::kMalformed,
                    fmt::format("is no good zstd file: {}", ZSTD_getErrorName(left)),
                    fmt::format("{}:{}", file.path().string(), at));
      }
      DropMappedPages(rest().first(in.pos));
      at += in.pos;
      frame_open = left != 0;
      buffer.append(out.data(), made.pos);
      if (made.pos > 0) return true;
    }
  }
};

LineReader::LineReader(std::unique_ptr<Source> source) : source_(std::move(source)) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

Result<LineReader> LineReader::Open(const std::filesystem::path& path) {
  auto source = std::make_unique<Source>();
  JIKJI_ASSIGN(source->file, MappedFile::Open(path));
  if (path.extension() == ".zst") {
    source->stream = ZSTD_createDStream();
    if (source->stream == nullptr) {
      return Fail(ErrorCode::kResourceExhausted, "no memory to decompress", path.string());
    }
    source->out.resize(ZSTD_DStreamOutSize());
  }
  return LineReader(std::move(source));
}

Result<std::optional<std::string_view>> LineReader::Next() {
  size_t searched = at_;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != buffer_.npos || (ended_ && at_ < buffer_.size())) {
      std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
      at_ = end == buffer_.npos ? buffer_.size() : end + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (++line_ == 1 && line.starts_with(kByteOrderMark)) {
        line.remove_prefix(kByteOrderMark.size());
      }
      return line;
    }
    if (ended_) return std::nullopt;
    // What was given is let go; what is left of the line at hand stays.
    buffer_.erase(0, at_);
    at_ = 0;
    searched = buffer_.size();
    if (buffer_.size() > kMaxLineBytes) {
      return Fail(ErrorCode::kResourceExhausted,
                  fmt::format("the line is longer than {} bytes", kMaxLineBytes),
                  fmt::format("{}:{}", source_->file.path().string(), line_ + 1));
    }
    JIKJI_ASSIGN(const bool more, source_->Append(buffer_));
    ended_ = !more;
  }
}

uint64_t LineReader::bytes_read() const { return source_->at; }
uint64_t LineReader::bytes_total() const { return source_->file.bytes().size(); }

}  // namespace jikji
