#include "hub/bundle/header.h"

#include <boost/json.hpp>

#include "base/json.h"
#include "hub/gate.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

constexpr uint64_t kMaxBytes = uint64_t{1} << 60;

std::unexpected<Error> Broken(std::string message, std::string where) {
  return Fail(ErrorCode::kMalformed, std::move(message), "bundle:" + std::move(where));
}

// One line of what git would write of a commit.
Result<std::string> Line(const json::object& object, std::string_view key) {
  JIKJI_ASSIGN(const auto text, OptionalString(object, key));
  if (!text) return Broken("is missing", std::string(key));
  if (text->find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
    return Broken("must be one line", std::string(key));
  }
  return *text;
}

Result<BundleFile> ParseFile(const json::value& value, const std::string& path) {
  if (!value.is_object()) return Broken("must be an object", path);
  const json::object& object = value.get_object();
  JIKJI_ASSIGN(const auto digest, OptionalString(object, "sha256"));
  JIKJI_ASSIGN(const auto size, OptionalInt(object, "size"));
  JIKJI_ASSIGN(const auto large, OptionalBool(object, "large"));
  if (!digest || !size || *size < 0 || static_cast<uint64_t>(*size) > kMaxFileBytes) {
    return Broken("needs a sha256 and a size that a hub takes", path);
  }
  BundleFile out;
  JIKJI_ASSIGN(out.digest, ParseDigest(*digest));
  out.size = static_cast<uint64_t>(*size);
  out.large = large.value_or(false);
  return out;
}

json::object JsonOf(const Commit& commit) {
  return {{"commit", commit.oid},           {"tree", commit.tree},       {"parent", commit.parent},
          {"title", commit.title},          {"message", commit.message}, {"author", commit.author},
          {"created_at", commit.created_at}};
}

// kMalformed unless its id is the one that git would give it.
Result<Commit> ParseCommit(const json::object& object) {
  Commit commit;
  JIKJI_ASSIGN(commit.oid, Line(object, "commit"));
  JIKJI_ASSIGN(commit.tree, Line(object, "tree"));
  JIKJI_ASSIGN(commit.parent, Line(object, "parent"));
  JIKJI_ASSIGN(commit.title, Line(object, "title"));
  JIKJI_ASSIGN(commit.author, Line(object, "author"));
  JIKJI_ASSIGN(const auto message, OptionalString(object, "message"));
  commit.message = message.value_or("");
  JIKJI_ASSIGN(const auto created, OptionalInt(object, "created_at"));
  commit.created_at = created.value_or(-1);
  if (!IsHex(commit.tree, 40) || (!commit.parent.empty() && !IsHex(commit.parent, 40))) {
    return Broken("ids of commits and trees are 40 hexadecimal digits", "commit");
  }
  if (commit.created_at < 0) return Broken("is missing or negative", "created_at");
  if (commit.author.find_first_of("<>") != std::string::npos) {
    return Broken("must be an account's name", "author");
  }
  if (CommitId(commit) != commit.oid) return Broken("is not the id of this commit", "commit");
  return commit;
}

// Each is the parent of the one before it, the first of `commit`.
Result<std::vector<Commit>> ParseHistory(const json::array& array, const Commit& commit) {
  if (array.size() > kMaxBundleHistory) return Broken("is too long", "history");
  std::vector<Commit> out;
  for (const json::value& value : array) {
    if (!value.is_object()) return Broken("must hold commits", "history");
    JIKJI_ASSIGN(Commit ancestor, ParseCommit(value.get_object()));
    if (ancestor.oid != (out.empty() ? commit : out.back()).parent) {
      return Broken("is not a line of parents", "history");
    }
    out.push_back(std::move(ancestor));
  }
  return out;
}

}  // namespace

std::string HeaderText(const BundleHeader& header) {
  json::object files;
  for (const auto& [path, file] : header.files) {
    files[path] =
        json::object{{"sha256", HexOf(file.digest)}, {"size", file.size}, {"large", file.large}};
  }
  json::array history;
  for (const Commit& ancestor : header.history) history.push_back(JsonOf(ancestor));
  json::object out = JsonOf(header.commit);
  out["repository"] = header.repository;
  out["history"] = std::move(history);
  out["files"] = std::move(files);
  return json::serialize(out);
}

Result<BundleHeader> ParseBundleHeader(std::string_view text) {
  JIKJI_ASSIGN(const json::value value, ParseJson(text, "bundle", {8, kMaxBundleHeader}));
  if (!value.is_object()) return Broken("must be an object", "");
  const json::object& object = value.get_object();
  BundleHeader out;
  JIKJI_ASSIGN(out.repository, Line(object, "repository"));
  JIKJI_RETURN_IF_ERROR(CheckRepositoryName(out.repository));
  JIKJI_ASSIGN(out.commit, ParseCommit(object));
  JIKJI_ASSIGN(const json::array* history, OptionalArray(object, "history"));
  if (history != nullptr) {
    JIKJI_ASSIGN(out.history, ParseHistory(*history, out.commit));
  }
  JIKJI_ASSIGN(const json::object* files, OptionalObject(object, "files"));
  if (files == nullptr || files->empty()) return Broken("holds no files", "files");
  for (const auto& item : *files) {
    const std::string path(item.key());
    JIKJI_RETURN_IF_ERROR(CheckFilePath(path));
    JIKJI_ASSIGN(const BundleFile file, ParseFile(item.value(), path));
    out.files.emplace(path, file);
  }
  // One spelling for each header, so that no byte of it is free.
  if (HeaderText(out) != text) return Broken("is not as a hub writes it", "");
  return out;
}

Result<std::map<Digest, uint64_t>> BlobsOf(const BundleHeader& header) {
  std::map<Digest, uint64_t> out;
  uint64_t total = 0;
  for (const auto& [path, file] : header.files) {
    const auto [at, is_new] = out.emplace(file.digest, file.size);
    if (!is_new && at->second != file.size) return Broken("one digest has two sizes", path);
    if (is_new) total += file.size;
    if (total > kMaxBytes) return Broken("is larger than a file can be", path);
  }
  return out;
}

Manifest ManifestOf(const BundleHeader& header) {
  Manifest out;
  out.name = header.repository + "@" + header.commit.oid;
  for (const auto& [path, file] : header.files) out.resources.emplace(path, file.digest);
  return out;
}

}  // namespace jikji::hub
