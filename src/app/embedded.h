// Files that are part of the program, put there by cmake/Embed.cmake.
#ifndef JIKJI_APP_EMBEDDED_H_
#define JIKJI_APP_EMBEDDED_H_

#include <span>
#include <string_view>

namespace jikji {

struct EmbeddedFile {
  std::string_view name;
  std::string_view content;
};

// The files of web/.
std::span<const EmbeddedFile> WebFiles();
// The data of src/fleet/data/.
std::span<const EmbeddedFile> FleetFiles();
// The files of deploy/kubernetes/.
std::span<const EmbeddedFile> DeployFiles();
// The data of src/govern/data/.
std::span<const EmbeddedFile> DutyFiles();

}  // namespace jikji

#endif  // JIKJI_APP_EMBEDDED_H_
