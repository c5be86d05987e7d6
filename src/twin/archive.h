// Bytes out of Zstandard frames and tar archives.
//
// Bounded: what unpacks to more than a limit is an error. Non-goals: writing; links, devices, and
// long names of the newer tar formats.
#ifndef JIKJI_TWIN_ARCHIVE_H_
#define JIKJI_TWIN_ARCHIVE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji::twin {

Result<std::string> Decompress(std::string_view compressed, std::string_view where,
                               uint64_t max_bytes);

// The content of a file, unpacked where its name ends in .zst.
Result<std::string> ReadData(const std::filesystem::path& path, uint64_t max_bytes = 2ull << 30);

// Calls `visit` with the name and content of every regular file of a tar archive (POSIX ustar).
Result<> ForEachFile(
    std::string_view tar, std::string_view where,
    const std::function<Result<>(std::string_view name, std::string_view content)>& visit);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_ARCHIVE_H_
