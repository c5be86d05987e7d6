// Files that hold a key: readable by their owner only, on the disk before anything relies on them.
#ifndef JIKJI_GOVERN_AUDIT_SECRET_FILE_H_
#define JIKJI_GOVERN_AUDIT_SECRET_FILE_H_

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace jikji::audit {

// Creates the file; an error if there is one already.
Result<> WriteSecretFile(const std::filesystem::path& path, std::string_view content);

// Overwrites and removes it. What a file system or a disk keeps of old blocks is beyond this: keys
// belong on an encrypted volume.
Result<> DestroySecretFile(const std::filesystem::path& path);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_SECRET_FILE_H_
