#include "hub/commits.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "hub/blobs.h"
#include "hub/names.h"
#include "hub/transact.h"

namespace jikji::hub {
namespace {

constexpr std::string_view kMain = "main";
constexpr size_t kShortestId = 7;

// The object git would store, for its id. Names are plain: account names have no `<` or line break.
std::string ObjectOf(const Commit& commit) {
  const std::string who =
      fmt::format("{} <{}@hub> {} +0000", commit.author, commit.author, commit.created_at);
  std::string text = fmt::format("tree {}\n", commit.tree);
  if (!commit.parent.empty()) text += fmt::format("parent {}\n", commit.parent);
  text += fmt::format("author {}\ncommitter {}\n\n{}\n", who, who, commit.title);
  if (!commit.message.empty()) text += fmt::format("\n{}\n", commit.message);
  return text;
}

}  // namespace

std::string CommitId(const Commit& commit) { return GitObjectId("commit", ObjectOf(commit)); }

namespace {

Result<> InsertCommit(Database& database, int64_t repository, const Commit& commit) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO commits (repository, oid, tree, parent, title, message, author, "
                   "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                   {repository, commit.oid, commit.tree, commit.parent, commit.title,
                    commit.message, commit.author, commit.created_at}));
  return {};
}

// Gives it its id.
Result<> InsertNewCommit(Database& database, int64_t repository, Commit& commit) {
  commit.oid = CommitId(commit);
  return InsertCommit(database, repository, commit);
}

Result<> InsertTrees(Database& database, const std::vector<Tree>& trees) {
  for (const Tree& tree : trees) {
    JIKJI_RETURN_IF_ERROR(
        database.Run("INSERT INTO trees (oid, entries) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                     {tree.oid, tree.entries}));
  }
  return {};
}

Commit RowOf(const SqlRows& rows, size_t row) {
  return {rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2), rows.Text(row, 3),
          rows.Text(row, 4), rows.Text(row, 5), rows.Int(row, 6)};
}

Result<Commit> FindCommit(Database& database, int64_t repository, const std::string& oid) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT oid, tree, parent, title, message, author, created_at FROM "
                            "commits WHERE repository = $1 AND oid = $2",
                            {repository, oid}));
  if (rows.empty()) return Fail(ErrorCode::kNotFound, "there is no such commit", oid);
  return RowOf(rows, 0);
}

Result<> Apply(const Change& change, Listing& listing) {
  if (change.kind == Change::Kind::kPut) {
    listing.insert_or_assign(change.path, change.file);
    return {};
  }
  if (change.kind == Change::Kind::kDeleteFile) {
    if (listing.erase(change.path) > 0) return {};
    return Fail(ErrorCode::kNotFound, "there is no such file to delete", change.path);
  }
  const std::string folder = change.path.ends_with('/') ? change.path : change.path + '/';
  const auto first = listing.lower_bound(folder);
  auto last = first;
  while (last != listing.end() && last->first.starts_with(folder)) ++last;
  if (first == last) {
    return Fail(ErrorCode::kNotFound, "there is no such folder to delete", change.path);
  }
  listing.erase(first, last);
  return {};
}

}  // namespace

Result<> WriteFirstCommit(Database& database, int64_t repository, const std::string& author) {
  JIKJI_ASSIGN(const std::vector<Tree> trees, TreesOf({}));
  JIKJI_RETURN_IF_ERROR(InsertTrees(database, trees));
  Commit commit{"", trees.back().oid, "", "initial commit", "", author, NowSeconds()};
  JIKJI_RETURN_IF_ERROR(InsertNewCommit(database, repository, commit));
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO refs (repository, kind, name, target, message) VALUES ($1, "
                   "'branch', $2, $3, '')",
                   {repository, std::string(kMain), commit.oid}));
  return {};
}

Result<Commit> ResolveRevision(Database& database, int64_t repository,
                               const std::string& revision) {
  std::string name = revision;
  for (const std::string_view start : {"refs/heads/", "refs/tags/"}) {
    if (name.starts_with(start)) name = name.substr(start.size());
  }
  // A branch before a tag of the same name.
  JIKJI_ASSIGN(const SqlRows refs,
               database.Run("SELECT target FROM refs WHERE repository = $1 AND name = $2 "
                            "ORDER BY kind LIMIT 1",
                            {repository, name}));
  if (!refs.empty()) return FindCommit(database, repository, refs.Text(0, 0));
  if (IsHex(name, 40)) return FindCommit(database, repository, name);
  if (name.size() >= kShortestId && IsHex(name, name.size()) && name.size() < 40) {
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("SELECT oid FROM commits WHERE repository = $1 AND oid >= $2 AND "
                              "oid < $3 LIMIT 2",
                              {repository, name, name + "g"}));
    if (rows.size() == 1) return FindCommit(database, repository, rows.Text(0, 0));
  }
  return Fail(ErrorCode::kNotFound, "there is no such revision", revision);
}

Result<std::vector<Ref>> ListRefs(Database& database, int64_t repository) {
  JIKJI_ASSIGN(const SqlRows rows, database.Run("SELECT kind, name, target, message FROM refs "
                                                "WHERE repository = $1 ORDER BY kind, name",
                                                {repository}));
  std::vector<Ref> out;
  for (size_t row = 0; row < rows.size(); ++row) {
    out.push_back({rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2), rows.Text(row, 3)});
  }
  return out;
}

Result<CommitOutcome> CommitTo(Hub& hub, Database& database, const CommitRequest& request) {
  for (const Change& change : request.changes) {
    std::string_view path = change.path;
    if (change.kind == Change::Kind::kDeleteFolder && path.ends_with('/')) path.remove_suffix(1);
    JIKJI_RETURN_IF_ERROR(CheckFilePath(path));
  }
  CommitOutcome outcome;
  JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const SqlRows refs,
                 database.Run("SELECT target FROM refs WHERE repository = $1 AND kind = 'branch' "
                              "AND name = $2",
                              {request.repository, request.branch}));
    if (refs.empty()) return Fail(ErrorCode::kNotFound, "there is no such branch", request.branch);
    outcome.oid = refs.Text(0, 0);
    outcome.status = CommitOutcome::Status::kLost;
    if (!request.parent.empty() && request.parent != outcome.oid) return {};
    JIKJI_ASSIGN(const Commit tip, FindCommit(database, request.repository, outcome.oid));
    JIKJI_ASSIGN(const auto before, hub.ListingOf(database, tip.tree));
    Listing listing = *before;
    std::set<Digest> added;
    for (const Change& change : request.changes) {
      JIKJI_RETURN_IF_ERROR(Apply(change, listing));
      if (change.kind == Change::Kind::kPut) added.insert(change.file.digest);
    }
    outcome.status = CommitOutcome::Status::kUnchanged;
    if (listing == *before) return {};
    for (const Digest& digest : added) {
      JIKJI_RETURN_IF_ERROR(TakeBlob(database, request.repository, request.owner, digest));
    }
    JIKJI_RETURN_IF_ERROR(CheckQuota(database, request.owner));
    JIKJI_ASSIGN(const std::vector<Tree> trees, TreesOf(listing));
    JIKJI_RETURN_IF_ERROR(InsertTrees(database, trees));
    Commit commit{
        "",          trees.back().oid, outcome.oid, request.title, request.message, request.author,
        NowSeconds()};
    JIKJI_RETURN_IF_ERROR(InsertNewCommit(database, request.repository, commit));
    JIKJI_RETURN_IF_ERROR(
        database.Run("UPDATE refs SET target = $3 WHERE repository = $1 AND kind = 'branch' AND "
                     "name = $2",
                     {request.repository, request.branch, commit.oid}));
    outcome.oid = commit.oid;
    outcome.status = CommitOutcome::Status::kDone;
    return {};
  }));
  return outcome;
}

Result<std::string> TargetOf(Database& database, int64_t repository, const std::string& kind,
                             const std::string& name) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT target FROM refs WHERE repository = $1 AND kind = $2 AND name "
                            "= $3",
                            {repository, kind, name}));
  return rows.empty() ? std::string() : rows.Text(0, 0);
}

Result<bool> HoldsNothing(Database& database, int64_t repository, const std::string& oid) {
  JIKJI_ASSIGN(const Commit commit, FindCommit(database, repository, oid));
  JIKJI_ASSIGN(const std::vector<Tree> nothing, TreesOf({}));
  return commit.tree == nothing.back().oid;
}

Result<> KeepCommit(Database& database, const Repository& repository, const Commit& commit,
                    const Listing& listing) {
  const std::string owner(OwnerOf(repository.name));
  for (const auto& [path, file] : listing) {
    JIKJI_RETURN_IF_ERROR(TakeBlob(database, repository.id, owner, file.digest));
  }
  JIKJI_RETURN_IF_ERROR(CheckQuota(database, owner));
  JIKJI_ASSIGN(const std::vector<Tree> trees, TreesOf(listing));
  if (trees.back().oid != commit.tree) {
    return Fail(ErrorCode::kMalformed, "the commit's tree is not that of its files", commit.oid);
  }
  JIKJI_RETURN_IF_ERROR(InsertTrees(database, trees));
  return InsertCommit(database, repository.id, commit);
}

Result<> PointRef(Database& database, int64_t repository, const Ref& ref) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO refs (repository, kind, name, target, message) VALUES ($1, $2, "
                   "$3, $4, $5) ON CONFLICT (repository, kind, name) DO UPDATE SET target = "
                   "excluded.target",
                   {repository, ref.kind, ref.name, ref.target, ref.message}));
  return {};
}

Result<> AdoptCommit(Database& database, const Repository& repository, const std::string& branch,
                     const Commit& commit, const std::vector<Commit>& ancestors,
                     const Listing& listing) {
  if (CommitId(commit) != commit.oid) {
    return Fail(ErrorCode::kMalformed, "the commit's id is not its own", commit.oid);
  }
  return Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const std::string tip, TargetOf(database, repository.id, "branch", branch));
    if (tip == commit.oid) return {};
    if (!tip.empty() && tip != commit.parent &&
        std::ranges::find(ancestors, tip, &Commit::oid) == ancestors.end()) {
      JIKJI_ASSIGN(const bool nothing, HoldsNothing(database, repository.id, tip));
      if (!nothing) {
        return Fail(ErrorCode::kInvalidArgument,
                    "the branch holds something else: name another branch", branch);
      }
    }
    JIKJI_RETURN_IF_ERROR(KeepCommit(database, repository, commit, listing));
    return PointRef(database, repository.id, {"branch", branch, commit.oid, ""});
  });
}

Result<std::vector<Commit>> History(Database& database, int64_t repository, const std::string& oid,
                                    size_t skip, size_t limit) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("WITH RECURSIVE line (oid, depth) AS (SELECT $2, 0 UNION ALL "
                            "SELECT c.parent, depth + 1 FROM line JOIN commits c ON c.oid = "
                            "line.oid AND c.repository = $1 WHERE c.parent <> '' AND depth < $4) "
                            "SELECT c.oid, c.tree, c.parent, c.title, c.message, c.author, "
                            "c.created_at FROM line JOIN commits c ON c.oid = line.oid AND "
                            "c.repository = $1 WHERE depth >= $3 AND depth < $4 ORDER BY depth",
                            {repository, oid, static_cast<int64_t>(skip),
                             static_cast<int64_t>(skip + limit)}));
  std::vector<Commit> out;
  for (size_t row = 0; row < rows.size(); ++row) out.push_back(RowOf(rows, row));
  return out;
}

Result<> CreateRef(Database& database, int64_t repository, const Ref& ref) {
  JIKJI_RETURN_IF_ERROR(CheckRefName(ref.name));
  return Transact(database, [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR(FindCommit(database, repository, ref.target));
    JIKJI_ASSIGN(const std::vector<Ref> refs, ListRefs(database, repository));
    for (const Ref& other : refs) {
      if (other.kind == ref.kind && other.name == ref.name) {
        return Fail(ErrorCode::kInvalidArgument, "it exists already", ref.name);
      }
      if (other.name.starts_with(ref.name + '/') || ref.name.starts_with(other.name + '/')) {
        return Fail(ErrorCode::kInvalidArgument,
                    "`" + other.name + "` exists, and one would be a folder of the other",
                    ref.name);
      }
    }
    JIKJI_RETURN_IF_ERROR(
        database.Run("INSERT INTO refs (repository, kind, name, target, message) VALUES ($1, $2, "
                     "$3, $4, $5)",
                     {repository, ref.kind, ref.name, ref.target, ref.message}));
    return {};
  });
}

Result<> DeleteRef(Database& database, int64_t repository, const std::string& kind,
                   const std::string& name) {
  if (kind == "branch" && name == kMain) {
    return Fail(ErrorCode::kPermissionDenied, "`main` cannot be deleted", name);
  }
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("DELETE FROM refs WHERE repository = $1 AND kind = $2 AND name = $3",
                            {repository, kind, name}));
  if (rows.changed() > 0) return {};
  return Fail(ErrorCode::kNotFound, "there is no such " + kind, name);
}

Result<std::string> SquashBranch(Database& database, int64_t repository, const std::string& branch,
                                 const std::string& message, const std::string& author) {
  std::string oid;
  JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const SqlRows refs,
                 database.Run("SELECT target FROM refs WHERE repository = $1 AND kind = 'branch' "
                              "AND name = $2",
                              {repository, branch}));
    if (refs.empty()) return Fail(ErrorCode::kNotFound, "there is no such branch", branch);
    JIKJI_ASSIGN(const Commit tip, FindCommit(database, repository, refs.Text(0, 0)));
    Commit commit{"", tip.tree, "", message, "", author, NowSeconds()};
    JIKJI_RETURN_IF_ERROR(InsertNewCommit(database, repository, commit));
    JIKJI_RETURN_IF_ERROR(database.Run(
        "UPDATE refs SET target = $3 WHERE repository = $1 AND kind = 'branch' AND name = $2",
        {repository, branch, commit.oid}));
    oid = commit.oid;
    return {};
  }));
  return oid;
}

}  // namespace jikji::hub
