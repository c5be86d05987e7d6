// What repositories, branches and files may be called.
//
// Contract: a name that passes can be used in a URL, as a path below a folder and in a cache of a
// Hugging Face client on Linux, macOS and Windows, and means one thing in each. Names of files may
// be Korean; their bytes are kept as they came.
#ifndef JIKJI_HUB_NAMES_H_
#define JIKJI_HUB_NAMES_H_

#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji::hub {

// "owner/name": two parts of letters, digits, `-`, `_` and `.`, at most 96 characters each, neither
// beginning nor ending with `-` or `.`, without `--` or `..`.
Result<> CheckRepositoryName(std::string_view name);
// Also that its owner is none of the words that addresses of a hub, or of the API beside it, begin
// with: of such a repository, `OWNER/NAME` would be another page.
Result<> CheckNewRepositoryName(std::string_view name);
std::string_view OwnerOf(std::string_view name);

// A branch or tag: parts with `/` between, as git allows, and none that reads as a commit's id.
Result<> CheckRefName(std::string_view name);

// A file's path in a repository: relative, UTF-8, no `.`, `..`, `.git`, empty parts, backslashes,
// colons or control characters; at most 255 bytes a part and 1,024 in all.
Result<> CheckFilePath(std::string_view path);

// Lower-case ASCII: names that differ in nothing else are one.
std::string Folded(std::string_view name);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_NAMES_H_
