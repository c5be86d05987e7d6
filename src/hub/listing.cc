#include "hub/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace jikji::hub {
namespace {

std::string PointerOf(const Digest& digest, uint64_t size) {
  return fmt::format("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
                     HexOf(digest), size);
}

// The bytes that a git id of hexadecimal digits stands for.
std::string BytesOfId(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    out += static_cast<char>(byte);
  }
  return out;
}

struct Folder {
  std::map<std::string, Folder> folders;
  std::map<std::string, const File*> files;
};

// Git orders a folder as if its name ended with `/`.
std::string SortKey(const TreeEntry& entry) { return entry.folder ? entry.name + '/' : entry.name; }

std::string AddTrees(const Folder& folder, std::vector<Tree>& out) {
  std::vector<TreeEntry> entries;
  for (const auto& [name, inner] : folder.folders) {
    entries.push_back({name, true, AddTrees(inner, out), {}});
  }
  for (const auto& [name, file] : folder.files) entries.push_back({name, false, file->oid, *file});
  std::ranges::sort(entries, {}, SortKey);
  std::string object;
  Tree tree;
  for (const TreeEntry& entry : entries) {
    object += (entry.folder ? "40000 " : "100644 ") + entry.name;
    object += '\0';
    object += BytesOfId(entry.oid);
    if (entry.folder) {
      tree.entries += fmt::format("d {} {}\n", entry.oid, entry.name);
    } else {
      tree.entries += fmt::format("{} {} {} {} {}\n", entry.file.large ? 'l' : 'f', entry.oid,
                                  HexOf(entry.file.digest), entry.file.size, entry.name);
    }
  }
  tree.oid = GitObjectId("tree", object);
  out.push_back(tree);
  return tree.oid;
}

// The word at the front of `line`, with the space after it taken off.
std::string_view TakeWord(std::string_view& line) {
  const size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

Result<> AddListing(const std::string& tree, const std::string& prefix, int depth,
                    const std::function<Result<std::string>(const std::string&)>& load,
                    Listing& out) {
  constexpr int kMaxDepth = 512;  // a path of 1,024 bytes has no more folders
  if (depth > kMaxDepth) return Fail(ErrorCode::kMalformed, "a tree holds itself", tree);
  JIKJI_ASSIGN(const std::string stored, load(tree));
  JIKJI_ASSIGN(const std::vector<TreeEntry> entries, ParseEntries(stored));
  for (const TreeEntry& entry : entries) {
    if (entry.folder) {
      JIKJI_RETURN_IF_ERROR(AddListing(entry.oid, prefix + entry.name + '/', depth + 1, load, out));
    } else {
      out.emplace(prefix + entry.name, entry.file);
    }
  }
  return {};
}

}  // namespace

File LargeFile(const Digest& digest, uint64_t size) {
  return {GitObjectId("blob", PointerOf(digest, size)), digest, size, true};
}

uint64_t PointerSize(const File& file) { return PointerOf(file.digest, file.size).size(); }

File SmallFile(std::string_view content) {
  return {GitObjectId("blob", content), Sha256Of(content), content.size(), false};
}

Result<std::vector<Tree>> TreesOf(const Listing& listing) {
  Folder root;
  for (const auto& [path, file] : listing) {
    Folder* folder = &root;
    size_t begin = 0;
    for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
      const std::string name = path.substr(begin, slash - begin);
      if (folder->files.contains(name)) {
        return Fail(ErrorCode::kInvalidArgument, "a file stands where this needs a folder", path);
      }
      folder = &folder->folders[name];
      begin = slash + 1;
    }
    const std::string name = path.substr(begin);
    if (folder->folders.contains(name)) {
      return Fail(ErrorCode::kInvalidArgument, "a folder stands where this file would", path);
    }
    folder->files[name] = &file;
  }
  std::vector<Tree> out;
  AddTrees(root, out);
  return out;
}

Result<std::vector<TreeEntry>> ParseEntries(std::string_view entries) {
  std::vector<TreeEntry> out;
  while (!entries.empty()) {
    const size_t end = std::min(entries.find('\n'), entries.size());
    std::string_view line = entries.substr(0, end);
    entries.remove_prefix(std::min(end + 1, entries.size()));
    TreeEntry entry;
    const std::string_view kind = TakeWord(line);
    entry.folder = kind == "d";
    entry.oid = TakeWord(line);
    if (!entry.folder) {
      JIKJI_ASSIGN(entry.file.digest, ParseDigest(TakeWord(line)));
      const std::string_view size = TakeWord(line);
      std::from_chars(size.data(), size.data() + size.size(), entry.file.size);
      entry.file.oid = entry.oid;
      entry.file.large = kind == "l";
    }
    entry.name = line;
    if (entry.name.empty() || !IsHex(entry.oid, 40)) {
      return Fail(ErrorCode::kMalformed, "a stored tree is damaged");
    }
    out.push_back(std::move(entry));
  }
  return out;
}

Result<Listing> LoadListing(const std::string& root,
                            const std::function<Result<std::string>(const std::string&)>& load) {
  Listing out;
  JIKJI_RETURN_IF_ERROR(AddListing(root, "", 0, load, out));
  return out;
}

}  // namespace jikji::hub
