#include "twin/archive.h"

#include <fmt/format.h>
#include <zstd.h>

#include <memory>
#include <optional>

#include "base/file.h"

namespace jikji::twin {
namespace {

constexpr size_t kBlock = 512;

// An octal number of a tar header.
std::optional<uint64_t> Octal(std::string_view field) {
  uint64_t value = 0;
  bool any = false;
  for (const char c : field) {
    if (c == '\0' || c == ' ') {
      if (any) break;
      continue;
    }
    if (c < '0' || c > '7' || value > (uint64_t{1} << 58)) return std::nullopt;
    value = value * 8 + static_cast<uint64_t>(c - '0');
    any = true;
  }
  return value;
}

std::string_view CString(std::string_view field) { return field.substr(0, field.find('\0')); }

}  // namespace

Result<std::string> Decompress(std::string_view compressed, std::string_view where,
                               uint64_t max_bytes) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   &ZSTD_freeDCtx);
  std::string out;
  std::string buffer(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer input{compressed.data(), compressed.size(), 0};
  size_t left = 1;
  while (input.pos < input.size || left != 0) {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    const size_t before = input.pos;
    left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left)) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("is not Zstandard: {}", ZSTD_getErrorName(left)), std::string(where));
    }
    if (out.size() + output.pos > max_bytes) {
      return Fail(ErrorCode::kResourceExhausted,
                  fmt::format("unpacks to more than {} bytes", max_bytes), std::string(where));
    }
    out.append(buffer.data(), output.pos);
    if (left != 0 && output.pos == 0 && input.pos == before) {
      return Fail(ErrorCode::kMalformed, "ends within a Zstandard frame", std::string(where));
    }
  }
  return out;
}

Result<std::string> ReadData(const std::filesystem::path& path, uint64_t max_bytes) {
  JIKJI_ASSIGN(std::string bytes, ReadFile(path, max_bytes));
  if (path.extension() != ".zst") return bytes;
  return Decompress(bytes, path.string(), max_bytes);
}

Result<> ForEachFile(
    std::string_view tar, std::string_view where,
    const std::function<Result<>(std::string_view name, std::string_view content)>& visit) {
  for (size_t at = 0; at + kBlock <= tar.size();) {
    const std::string_view header = tar.substr(at, kBlock);
    if (header.find_first_not_of('\0') == std::string_view::npos) return {};
    const auto bad = [&](const char* why) {
      return Fail(ErrorCode::kMalformed, why, fmt::format("{}:{}", where, at));
    };
    if (!header.substr(257).starts_with("ustar")) return bad("is not a tar header");
    const auto size = Octal(header.substr(124, 12));
    if (!size || *size > tar.size() - at - kBlock)
      return bad("the file is longer than the archive");
    std::string name(CString(header.substr(345, 155)));
    if (!name.empty()) name += '/';
    name += CString(header.substr(0, 100));
    const char type = header[156];
    if (type == '0' || type == '\0') {
      JIKJI_RETURN_IF_ERROR(visit(name, tar.substr(at + kBlock, *size)));
    }
    at += kBlock + (*size + kBlock - 1) / kBlock * kBlock;
  }
  return {};
}

}  // namespace jikji::twin
