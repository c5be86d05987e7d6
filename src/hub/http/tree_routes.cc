#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "hub/http/routes.h"

namespace jikji::hub {
namespace json = boost::json;

namespace {

constexpr size_t kEntriesPerPage = 1000;

json::object EntryOf(const std::string& path, const File& file, const json::object* last) {
  json::object entry{{"type", "file"}, {"oid", file.oid}, {"size", file.size}, {"path", path}};
  if (file.large) {
    entry["lfs"] = json::object{
        {"oid", HexOf(file.digest)}, {"size", file.size}, {"pointerSize", PointerSize(file)}};
  }
  if (last != nullptr) entry["lastCommit"] = *last;
  return entry;
}

// What `expand` tells of every entry: the commit that is asked for. Finding the commit that last
// touched each file would read the whole history.
std::optional<json::object> LastCommit(const FormFields& fields, const Commit& commit) {
  const std::string expand = FieldOf(fields, "expand");
  if (expand.empty() || expand == "false" || expand == "False" || expand == "0") return {};
  return json::object{
      {"id", commit.oid}, {"title", commit.title}, {"date", IsoTime(commit.created_at)}};
}

// The ids that trees of this listing have, by the path of their folder.
HttpResult<std::map<std::string, std::string>> FolderIds(Call& call, const std::string& root) {
  std::map<std::string, std::string> ids;
  std::vector<std::pair<std::string, std::string>> open = {{"", root}};
  while (!open.empty()) {
    const auto [prefix, oid] = std::move(open.back());
    open.pop_back();
    JIKJI_ASSIGN(const SqlRows rows,
                 call.database.Run("SELECT entries FROM trees WHERE oid = $1", {oid}));
    JIKJI_ASSIGN(const std::vector<TreeEntry> entries, ParseEntries(rows.Text(0, 0)));
    for (const TreeEntry& entry : entries) {
      if (!entry.folder) continue;
      ids[prefix + entry.name] = entry.oid;
      open.emplace_back(prefix + entry.name + '/', entry.oid);
    }
  }
  return ids;
}

bool IsTrue(const FormFields& fields, std::string_view name) {
  const std::string text = FieldOf(fields, name);
  return text == "true" || text == "True" || text == "1";
}

}  // namespace

// In the order of their paths, a page from the path behind `cursor` on.
HttpResult<net::Response> RepoTree(Call& call) {
  std::string_view path = call.rest;
  JIKJI_ASSIGN(const Commit commit, TakeRevision(call, path));
  while (path.ends_with('/')) path.remove_suffix(1);
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, commit.tree));
  JIKJI_ASSIGN(const auto folders, FolderIds(call, commit.tree));
  if (!path.empty() && !folders.contains(std::string(path))) {
    return std::unexpected(EntryNotFound(path, commit.oid));
  }
  const std::string prefix = path.empty() ? "" : std::string(path) + '/';
  const FormFields query = ParseForm(call.request.query);
  const bool recursive = IsTrue(query, "recursive");
  const std::string cursor = FieldOf(query, "cursor");
  JIKJI_ASSIGN(size_t limit, NumberOf(query, "limit", kEntriesPerPage, 10'000));
  limit = std::max<size_t>(1, limit);
  const auto last = LastCommit(query, commit);

  // Folders and files together, by path.
  std::map<std::string, const File*> entries;
  for (const auto& [name, oid] : folders) {
    if (!name.starts_with(prefix)) continue;
    if (recursive || name.find('/', prefix.size()) == std::string::npos) entries[name] = nullptr;
  }
  for (auto it = listing->lower_bound(prefix);
       it != listing->end() && it->first.starts_with(prefix); ++it) {
    if (recursive || it->first.find('/', prefix.size()) == std::string::npos) {
      entries[it->first] = &it->second;
    }
  }
  json::array out;
  auto it = cursor.empty() ? entries.begin() : entries.upper_bound(cursor);
  for (; it != entries.end() && out.size() < limit; ++it) {
    if (it->second != nullptr) {
      out.push_back(EntryOf(it->first, *it->second, last ? &*last : nullptr));
    } else {
      out.push_back(json::object{
          {"type", "directory"}, {"oid", folders.at(it->first)}, {"size", 0}, {"path", it->first}});
    }
  }
  net::Response response = JsonResponse(out);
  response.headers.emplace_back("X-Repo-Commit", commit.oid);
  if (it != entries.end()) {
    FormFields next;
    for (const auto& field : query) {
      if (field.first != "cursor") next.push_back(field);
    }
    next.emplace_back("cursor", std::prev(it)->first);
    AddNextLink(call, next, response);
  }
  return response;
}

HttpResult<net::Response> PathsInfo(Call& call) {
  std::string_view rest = call.rest;
  JIKJI_ASSIGN(const Commit commit, TakeRevision(call, rest));
  FormFields fields;
  if (call.request.Header("Content-Type").starts_with("application/json")) {
    JIKJI_ASSIGN(const json::object body, JsonBody(call));
    JIKJI_ASSIGN(const json::array* paths, OptionalArray(body, "paths"));
    for (const json::value& path : paths == nullptr ? json::array() : *paths) {
      if (path.is_string()) fields.emplace_back("paths", path.as_string());
    }
  } else {
    fields = ParseForm(call.request.body);
  }
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, commit.tree));
  JIKJI_ASSIGN(const auto folders, FolderIds(call, commit.tree));
  const auto last = LastCommit(fields, commit);
  json::array out;
  std::set<std::string> told;
  for (const auto& [name, path] : fields) {
    if (name != "paths" || !told.insert(path).second) continue;
    if (const auto file = listing->find(path); file != listing->end()) {
      out.push_back(EntryOf(path, file->second, last ? &*last : nullptr));
    } else if (const auto folder = folders.find(path); folder != folders.end()) {
      out.push_back(json::object{
          {"type", "directory"}, {"oid", folder->second}, {"size", 0}, {"path", path}});
    }
  }
  return JsonResponse(out);
}

}  // namespace jikji::hub
