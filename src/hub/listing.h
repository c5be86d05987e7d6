// The files of a commit, and the git trees they make.
//
// A listing is what a commit holds, whole: path to file. It is stored as git stores it, one tree
// for each folder, named by the id that git would give it, so that folders that did not change are
// stored once. A large file stands in its tree as the pointer that git-lfs would write.
#ifndef JIKJI_HUB_LISTING_H_
#define JIKJI_HUB_LISTING_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/digest.h"

namespace jikji::hub {

struct File {
  std::string oid;  // of git: of the content, or of the pointer where `large`
  Digest digest{};  // of the content
  uint64_t size = 0;
  bool large = false;
  bool operator==(const File&) const = default;
};

// Sorted by their bytes.
using Listing = std::map<std::string, File, std::less<>>;

// A file kept by git-lfs, and the length of its pointer.
File LargeFile(const Digest& digest, uint64_t size);
uint64_t PointerSize(const File& file);
File SmallFile(std::string_view content);

// What lies in a folder: for a folder within it, only its name and tree.
struct TreeEntry {
  std::string name;
  bool folder = false;
  std::string oid;
  File file;  // where it is no folder
};

struct Tree {
  std::string oid;
  std::string entries;  // how it is stored
};

// kInvalidArgument where a path is a file and a folder at once. The last tree is the root.
Result<std::vector<Tree>> TreesOf(const Listing& listing);

Result<std::vector<TreeEntry>> ParseEntries(std::string_view entries);

// `load` gives a tree's entries by its id.
Result<Listing> LoadListing(const std::string& root,
                            const std::function<Result<std::string>(const std::string&)>& load);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_LISTING_H_
