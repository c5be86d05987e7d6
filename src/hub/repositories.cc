#include "hub/repositories.h"

#include <algorithm>

#include "hub/commits.h"
#include "hub/names.h"
#include "hub/transact.h"

namespace jikji::hub {
namespace {

Repository RowOf(const SqlRows& rows, size_t row) {
  return {rows.Int(row, 0),      rows.Text(row, 1), rows.Text(row, 2),
          rows.Int(row, 3) != 0, rows.Text(row, 4), rows.Int(row, 5)};
}

Result<std::optional<Repository>> Look(Database& database, const std::string& kind,
                                       std::string_view name) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT id, kind, name, private, gated, created_at FROM repositories "
                            "WHERE kind = $1 AND folded = $2",
                            {kind, Folded(name)}));
  if (rows.empty()) return std::nullopt;
  return RowOf(rows, 0);
}

// For LIKE with `\` as its escape.
std::string EscapedForLike(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Result<Created> CreateRepository(Database& database, const std::string& kind,
                                 const std::string& name, bool is_private,
                                 const std::string& author) {
  JIKJI_RETURN_IF_ERROR(CheckNewRepositoryName(name));
  Created created;
  JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const auto found, Look(database, kind, name));
    created.existed = found.has_value();
    if (found) {
      created.repository = *found;
      return {};
    }
    const int64_t now = NowSeconds();
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("INSERT INTO repositories (kind, name, folded, private, gated, "
                              "created_at) VALUES ($1, $2, $3, $4, '', $5) RETURNING id",
                              {kind, name, Folded(name), int64_t{is_private}, now}));
    created.repository = {rows.Int(0, 0), kind, name, is_private, "", now};
    return WriteFirstCommit(database, created.repository.id, author);
  }));
  return created;
}

Result<Repository> FindRepository(Database& database, const std::string& kind,
                                  std::string_view name) {
  JIKJI_ASSIGN(auto found, Look(database, kind, name));
  if (found) return *std::move(found);
  return Fail(ErrorCode::kNotFound, "there is no such repository", std::string(name));
}

Result<std::vector<Repository>> ListRepositories(Database& database, const std::string& kind,
                                                 const std::string& search,
                                                 const std::string& owner, const std::string& after,
                                                 size_t limit) {
  JIKJI_ASSIGN(
      const SqlRows rows,
      database.Run("SELECT id, kind, name, private, gated, created_at FROM repositories "
                   "WHERE kind = $1 AND folded LIKE $2 ESCAPE '\\' AND folded LIKE $3 ESCAPE '\\' "
                   "AND folded > $4 ORDER BY folded LIMIT $5",
                   {kind, "%" + EscapedForLike(Folded(search)) + "%",
                    owner.empty() ? "%" : EscapedForLike(Folded(owner)) + "/%", Folded(after),
                    static_cast<int64_t>(limit)}));
  std::vector<Repository> out;
  for (size_t row = 0; row < rows.size(); ++row) out.push_back(RowOf(rows, row));
  return out;
}

Result<> DeleteRepository(Database& database, int64_t id) {
  return Transact(database, [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM refs WHERE repository = $1", {id}));
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM lineages WHERE repository = $1", {id}));
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM mirrored WHERE repository = $1", {id}));
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM oci_documents WHERE repository = $1", {id}));
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM commits WHERE repository = $1", {id}));
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM repository_blobs WHERE repository = $1", {id}));
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM grants WHERE repository = $1", {id}));
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM repositories WHERE id = $1", {id}));
    return {};
  });
}

Result<> MoveRepository(Database& database, int64_t id, const std::string& name) {
  JIKJI_RETURN_IF_ERROR(CheckNewRepositoryName(name));
  auto moved = database.Run("UPDATE repositories SET name = $2, folded = $3 WHERE id = $1",
                            {id, name, Folded(name)});
  if (moved) return {};
  if (moved.error().code == ErrorCode::kInvalidArgument) {
    return Fail(ErrorCode::kInvalidArgument, "a repository of that name exists", name);
  }
  return std::unexpected(std::move(moved).error());
}

Result<> UpdateRepository(Database& database, const Repository& repository) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("UPDATE repositories SET private = $2, gated = $3 WHERE id = $1",
                   {repository.id, int64_t{repository.is_private}, repository.gated}));
  return {};
}

Result<uint64_t> UsedBytes(Database& database, int64_t id) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM blobs b JOIN "
                            "repository_blobs r ON r.digest = b.digest WHERE r.repository = $1",
                            {id}));
  return static_cast<uint64_t>(rows.Int(0, 0));
}

}  // namespace jikji::hub
