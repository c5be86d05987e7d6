#include "hub/blobs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_set>

#include "hub/names.h"
#include "hub/transact.h"

namespace jikji::hub {
namespace {

// Files looked at in one transaction: milliseconds, for which a push may wait.
constexpr size_t kRemovedAtOnce = 256;

int64_t LeaseEnd() { return NowSeconds() + std::chrono::seconds(kLease).count(); }

Result<> Renew(Database& database, const std::string& digest, const std::string& owner) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO leases (digest, owner, until) VALUES ($1, $2, $3) "
                   "ON CONFLICT (digest, owner) DO UPDATE SET until = excluded.until",
                   {digest, owner, LeaseEnd()}));
  return {};
}

// Within a transaction.
Result<bool> MayTake(Database& database, const std::string& digest, const std::string& owner) {
  JIKJI_ASSIGN(const SqlRows leases,
               database.Run("SELECT 1 FROM leases WHERE digest = $1 AND owner = $2 AND until > $3",
                            {digest, owner, NowSeconds()}));
  if (!leases.empty()) return true;
  JIKJI_ASSIGN(const SqlRows held,
               database.Run("SELECT r.folded, r.private, r.gated FROM repositories r JOIN "
                            "repository_blobs h ON h.repository = r.id WHERE h.digest = $1",
                            {digest}));
  for (size_t row = 0; row < held.size(); ++row) {
    const bool is_public = held.Int(row, 1) == 0 && held.Text(row, 2).empty();
    if (is_public || OwnerOf(held.Text(row, 0)) == owner) return true;
  }
  return false;
}

// Trees that no commit needs any more.
Result<size_t> CollectTrees(Database& database) {
  JIKJI_ASSIGN(const SqlRows roots, database.Run("SELECT DISTINCT tree FROM commits"));
  std::unordered_set<std::string> needed;
  std::vector<std::string> open;
  for (size_t row = 0; row < roots.size(); ++row) open.push_back(roots.Text(row, 0));
  while (!open.empty()) {
    const std::string oid = std::move(open.back());
    open.pop_back();
    if (!needed.insert(oid).second) continue;
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("SELECT entries FROM trees WHERE oid = $1", {oid}));
    JIKJI_ASSIGN(const std::vector<TreeEntry> entries, ParseEntries(rows.Text(0, 0)));
    for (const TreeEntry& entry : entries) {
      if (entry.folder) open.push_back(entry.oid);
    }
  }
  JIKJI_ASSIGN(const SqlRows all, database.Run("SELECT oid FROM trees"));
  size_t removed = 0;
  for (size_t row = 0; row < all.size(); ++row) {
    if (needed.contains(all.Text(row, 0))) continue;
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM trees WHERE oid = $1", {all.Text(row, 0)}));
    ++removed;
  }
  return removed;
}

// Rows of blobs that nothing needs. What a compact blob is made from is needed as long as that is.
Result<> CollectRows(Database& database, Collected& out) {
  for (;;) {
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("SELECT digest, size FROM blobs WHERE digest NOT IN (SELECT digest "
                              "FROM repository_blobs) AND digest NOT IN (SELECT digest FROM "
                              "leases) AND digest NOT IN (SELECT source FROM compact_blobs)"));
    if (rows.empty()) return {};
    for (size_t row = 0; row < rows.size(); ++row) {
      const std::string digest = rows.Text(row, 0);
      JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM pieces WHERE digest = $1", {digest}));
      JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM compact_blobs WHERE digest = $1", {digest}));
      JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM damaged_blobs WHERE digest = $1", {digest}));
      JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM blobs WHERE digest = $1", {digest}));
      ++out.blobs;
      out.bytes += static_cast<uint64_t>(rows.Int(row, 1));
    }
  }
}

// A file is needed if its blob has a row and is stored in this form; within a transaction.
Result<bool> IsNeeded(Database& database, const BlobStore& blobs, const StoredFile& file) {
  const std::string hex = HexOf(file.digest);
  JIKJI_ASSIGN(const SqlRows rows, database.Run("SELECT 1 FROM blobs WHERE digest = $1", {hex}));
  if (rows.empty()) return false;
  JIKJI_ASSIGN(const SqlRows sources,
               database.Run("SELECT 1 FROM compact_blobs WHERE digest = $1", {hex}));
  if (file.compact) return !sources.empty();
  return sources.empty() || access(blobs.CompactPathOf(file.digest).c_str(), F_OK) != 0;
}

// Removes files that are not needed: the collector's, and what a killed upload, collector or
// compaction left. In transactions, so that none is being published meanwhile.
Result<> RemoveFiles(Database& database, const BlobStore& blobs) {
  std::vector<StoredFile> stored;
  JIKJI_RETURN_IF_ERROR(blobs.ForEach([&](const StoredFile& file) -> Result<> {
    stored.push_back(file);
    return {};
  }));
  for (size_t begin = 0; begin < stored.size(); begin += kRemovedAtOnce) {
    JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
      for (size_t i = begin; i < std::min(begin + kRemovedAtOnce, stored.size()); ++i) {
        JIKJI_ASSIGN(const bool needed, IsNeeded(database, blobs, stored[i]));
        if (!needed) JIKJI_RETURN_IF_ERROR(blobs.Remove(stored[i]));
      }
      return {};
    }));
  }
  return {};
}

}  // namespace

Result<> PublishBlob(Database& database, BlobWriter& writer, const Digest& digest,
                     const std::string& owner) {
  bool published = false;  // a second attempt has nothing left to rename
  return Transact(database, [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR(
        database.Run("INSERT INTO blobs (digest, size) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                     {HexOf(digest), static_cast<int64_t>(writer.size())}));
    // It stands plain from now on, and whole.
    JIKJI_RETURN_IF_ERROR(
        database.Run("DELETE FROM compact_blobs WHERE digest = $1", {HexOf(digest)}));
    JIKJI_RETURN_IF_ERROR(
        database.Run("DELETE FROM damaged_blobs WHERE digest = $1", {HexOf(digest)}));
    JIKJI_RETURN_IF_ERROR(Renew(database, HexOf(digest), Folded(owner)));
    if (!published) JIKJI_RETURN_IF_ERROR(writer.Publish());
    published = true;
    return {};
  });
}

Result<bool> HasBlob(Database& database, const Digest& digest, uint64_t size,
                     const std::string& owner) {
  bool has = false;
  JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("SELECT size FROM blobs WHERE digest = $1 AND digest NOT IN (SELECT "
                              "digest FROM damaged_blobs)",
                              {HexOf(digest)}));
    has = !rows.empty() && static_cast<uint64_t>(rows.Int(0, 0)) == size;
    if (!has) return {};
    JIKJI_ASSIGN(has, MayTake(database, HexOf(digest), Folded(owner)));
    return has ? Renew(database, HexOf(digest), Folded(owner)) : Result<>{};
  }));
  return has;
}

Result<> MarkDamaged(Database& database, const Digest& digest, bool damaged) {
  const std::string hex = HexOf(digest);
  if (!damaged) {
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM damaged_blobs WHERE digest = $1", {hex}));
    return {};
  }
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO damaged_blobs (digest) SELECT digest FROM blobs WHERE digest = $1 "
                   "ON CONFLICT DO NOTHING",
                   {hex}));
  return {};
}

Result<std::set<Digest>> DamagedBlobs(Database& database) {
  JIKJI_ASSIGN(const SqlRows rows, database.Run("SELECT digest FROM damaged_blobs"));
  std::set<Digest> out;
  for (size_t row = 0; row < rows.size(); ++row) {
    JIKJI_ASSIGN(const Digest digest, ParseDigest(rows.Text(row, 0)));
    out.insert(digest);
  }
  return out;
}

Result<> TakeBlob(Database& database, int64_t repository, const std::string& owner,
                  const Digest& digest) {
  JIKJI_ASSIGN(const bool may, MayTake(database, HexOf(digest), Folded(owner)));
  if (!may) {
    return Fail(ErrorCode::kNotFound,
                "the bytes of this SHA-256 were not uploaded: send them first", HexOf(digest));
  }
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO repository_blobs (repository, digest) VALUES ($1, $2) ON CONFLICT "
                   "DO NOTHING",
                   {repository, HexOf(digest)}));
  return {};
}

Result<> SetQuota(Database& database, const std::string& owner, uint64_t bytes) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO quotas (owner, bytes) VALUES ($1, $2) ON CONFLICT (owner) DO "
                   "UPDATE SET bytes = excluded.bytes",
                   {Folded(owner), static_cast<int64_t>(bytes)}));
  return {};
}

Result<> CheckQuota(Database& database, const std::string& owner) {
  JIKJI_ASSIGN(const SqlRows quotas,
               database.Run("SELECT bytes FROM quotas WHERE owner = $1", {Folded(owner)}));
  if (quotas.empty() || quotas.Int(0, 0) == 0) return {};
  JIKJI_ASSIGN(const SqlRows used,
               database.Run("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs WHERE digest "
                            "IN (SELECT h.digest FROM repository_blobs h JOIN repositories r ON "
                            "r.id = h.repository WHERE substr(r.folded, 1, $2) = $1)",
                            {Folded(owner) + "/", static_cast<int64_t>(owner.size() + 1)}));
  if (used.Int(0, 0) <= quotas.Int(0, 0)) return {};
  return Fail(ErrorCode::kResourceExhausted,
              fmt::format("`{}` may store {} bytes and would have {}", owner, quotas.Int(0, 0),
                          used.Int(0, 0)));
}

Result<Collected> CollectGarbage(Hub& hub) {
  JIKJI_ASSIGN(const Hub::Session session, hub.Connect());
  Database& database = *session;
  Collected out;
  JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
    out = {};
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM leases WHERE until <= $1", {NowSeconds()}));
    JIKJI_RETURN_IF_ERROR(CollectRows(database, out));
    JIKJI_ASSIGN(out.trees, CollectTrees(database));
    return {};
  }));
  JIKJI_RETURN_IF_ERROR(RemoveFiles(database, hub.blobs()));
  JIKJI_ASSIGN(out.abandoned, hub.blobs().RemoveAbandoned(kLease));
  return out;
}

}  // namespace jikji::hub
