// Publishes a folder as a commit of a repository, made where it is absent.
//
// Files that the hub has already are not sent; a commit that would change nothing is not made.
#ifndef JIKJI_HUB_CLIENT_PUSH_H_
#define JIKJI_HUB_CLIENT_PUSH_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/client/remote.h"

namespace jikji::hub {

struct PushOptions {
  std::string repository;
  std::filesystem::path folder;
  std::string branch = "main";
  std::string message = "upload with jikji";
  bool is_private = false;  // of a repository that is made
  // Patterns of paths that stay behind, or of folders; `*` stands for any text, slashes too.
  std::vector<std::string> exclude = {};
};

struct PushReport {
  std::string commit;
  size_t files = 0;    // of the folder
  size_t changed = 0;  // that the commit changes
  uint64_t sent_bytes = 0;
};

// Hidden files and folders stay behind, but for .gitattributes. Links are followed to files and not
// to folders: a snapshot of a cache can be pushed.
Result<PushReport> Push(Remote& remote, const PushOptions& options);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_PUSH_H_
