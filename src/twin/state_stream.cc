#include "twin/state_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/file.h"

namespace jikji::twin {
namespace {

constexpr std::string_view kMagic = "jikji simulation state 1\n";
constexpr size_t kBlock = 1 << 20;
constexpr size_t kMostSettings = 1 << 20;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class FileStateWriter : public StateWriter {
 public:
  explicit FileStateWriter(const std::filesystem::path& path)
      : path_(path), temporary_(path.string() + ".XXXXXX"), context_(ZSTD_createCCtx()) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    descriptor_ = mkostemp(temporary_.data(), O_CLOEXEC);
    if (descriptor_ < 0) Broken("create");
  }
  FileStateWriter(const FileStateWriter&) = delete;
  FileStateWriter& operator=(const FileStateWriter&) = delete;
  ~FileStateWriter() override {
    if (descriptor_ < 0) return;
    close(descriptor_);
    unlink(temporary_.c_str());
  }

  bool reading() const override { return false; }

  void Bytes(void* data, size_t size) override {
    auto bytes = std::string_view(static_cast<const char*>(data), size);
    while (!bytes.empty()) {
      const size_t part = std::min(bytes.size(), kBlock - block_.size());
      block_.append(bytes.substr(0, part));
      bytes.remove_prefix(part);
      if (block_.size() == kBlock) Flush();
    }
  }

  Result<> Finish() override {
    Flush();
    Number(0);
    if (!error_ && (fchmod(descriptor_, 0644) != 0 || fsync(descriptor_) != 0)) Broken("sync");
    if (!error_ && rename(temporary_.c_str(), path_.c_str()) != 0) Broken("rename");
    if (error_) return std::unexpected(*error_);
    close(std::exchange(descriptor_, -1));
    const std::filesystem::path folder = path_.parent_path();
    return SyncFolder(folder.empty() ? "." : folder);
  }

  void Header(std::string_view settings) {
    Write(kMagic);
    Number(static_cast<uint32_t>(settings.size()));
    Write(settings);
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  bool failed() const override { return error_.has_value(); }

  void Broken(std::string_view what) {
    if (error_) return;
    const bool full = errno == ENOSPC || errno == EDQUOT;
    error_ = {full ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
              fmt::format("cannot {} the state of the simulation: {}", what, strerror(errno)),
              path_.string()};
  }

  void Flush() {
    if (block_.empty()) return;
    packed_.resize(ZSTD_compressBound(block_.size()));
    const size_t size = ZSTD_compress2(context_.get(), packed_.data(), packed_.size(),
                                       block_.data(), block_.size());
    block_.clear();
    Number(static_cast<uint32_t>(size));
    Write(std::string_view(packed_).substr(0, size));
  }

  void Number(uint32_t value) { Write({reinterpret_cast<const char*>(&value), sizeof(value)}); }

  void Write(std::string_view bytes) {
    while (!bytes.empty() && !error_) {
      const ssize_t wrote = write(descriptor_, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return Broken("write");
      bytes.remove_prefix(static_cast<size_t>(wrote));
    }
  }

  std::filesystem::path path_;
  std::string temporary_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  int descriptor_ = -1;
  std::string block_, packed_;
  std::optional<Error> error_;
};

class FileStateReader : public StateReader {
 public:
  explicit FileStateReader(MappedFile file)
      : file_(std::move(file)),
        left_(reinterpret_cast<const char*>(file_.bytes().data()), file_.bytes().size()),
        context_(ZSTD_createDCtx()) {}

  bool reading() const override { return true; }

  void Bytes(void* data, size_t size) override {
    auto* into = static_cast<char*>(data);
    while (size > 0) {
      if (at_ == block_.size() && !NextBlock()) {
        std::memset(into, 0, size);
        return;
      }
      const size_t part = std::min(size, block_.size() - at_);
      std::memcpy(into, block_.data() + at_, part);
      at_ += part;
      into += part;
      size -= part;
    }
  }

  Result<> Finish() override {
    if (!error_ && (at_ != block_.size() || Number() != 0u || !left_.empty())) {
      Broken("has more than a simulation of this size saves");
    }
    if (error_) return std::unexpected(*error_);
    return {};
  }

  Result<> Header(std::string_view settings) {
    if (!left_.starts_with(kMagic)) {
      return Malformed("is not the state of a simulation of this version");
    }
    left_.remove_prefix(kMagic.size());
    const std::optional<uint32_t> size = Number();
    if (!size || *size > kMostSettings || *size > left_.size()) return Malformed("ends too early");
    const std::string_view own = left_.substr(0, *size);
    left_.remove_prefix(*size);
    if (own == settings) return {};
    const auto [theirs, ours] = FirstDifference(own, settings);
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("was saved by other settings: `{}`, this run has `{}`", theirs, ours),
                file_.path().string());
  }

 private:
  bool failed() const override { return error_.has_value(); }

  std::unexpected<Error> Malformed(std::string_view what) const {
    return Fail(ErrorCode::kMalformed, std::string(what), file_.path().string());
  }
  void Broken(std::string_view what) {
    if (!error_) error_ = Malformed(what).error();
  }

  static std::string_view TakeLine(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
  }
  static std::pair<std::string_view, std::string_view> FirstDifference(std::string_view a,
                                                                       std::string_view b) {
    while (true) {
      const std::string_view one = TakeLine(a), other = TakeLine(b);
      if (one != other || (a.empty() && b.empty())) return {one, other};
    }
  }

  std::optional<uint32_t> Number() {
    uint32_t value = 0;
    if (left_.size() < sizeof(value)) return std::nullopt;
    std::memcpy(&value, left_.data(), sizeof(value));
    left_.remove_prefix(sizeof(value));
    return value;
  }

  bool NextBlock() {
    if (error_) return false;
    const std::optional<uint32_t> size = Number();
    if (!size || *size == 0 || *size > left_.size()) {
      Broken("ends too early");
      return false;
    }
    block_.resize(kBlock);
    const size_t got =
        ZSTD_decompressDCtx(context_.get(), block_.data(), kBlock, left_.data(), *size);
    left_.remove_prefix(*size);
    at_ = 0;
    block_.resize(ZSTD_isError(got) ? 0 : got);
    if (block_.empty()) Broken("is damaged: a block does not have its checksum");
    return !block_.empty();
  }

  MappedFile file_;
  std::string_view left_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  std::string block_;
  size_t at_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<std::unique_ptr<StateWriter>> StateWriter::Create(const std::filesystem::path& path,
                                                         std::string_view settings) {
  auto writer = std::make_unique<FileStateWriter>(path);
  writer->Header(settings);
  if (writer->error()) return std::unexpected(*writer->error());
  return writer;
}

Result<std::unique_ptr<StateReader>> StateReader::Open(const std::filesystem::path& path,
                                                       std::string_view settings) {
  JIKJI_ASSIGN(MappedFile file, MappedFile::Open(path));
  auto reader = std::make_unique<FileStateReader>(std::move(file));
  JIKJI_RETURN_IF_ERROR(reader->Header(settings));
  return reader;
}

}  // namespace jikji::twin
