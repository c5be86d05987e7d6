#include "hub/compact/restore.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "hub/blobs.h"
#include "hub/transact.h"
#include "store/read_pieces.h"

namespace jikji::hub {
namespace {

// Room that blobs of one source take: as they are, and if they were plain and it were gone.
struct Room {
  uint64_t now = 0;
  uint64_t plain = 0;
  std::vector<std::string> blobs;
};

Result<> Restore(Database& database, const BlobStore& blobs, const std::string& hex) {
  JIKJI_ASSIGN(const Digest digest, ParseDigest(hex));
  JIKJI_ASSIGN(const Blob blob, blobs.OpenBlob(digest));
  JIKJI_ASSIGN(BlobWriter writer, blobs.Begin());
  JIKJI_RETURN_IF_ERROR(
      ReadPieces(*blob.source(), [&](std::string_view piece) { return writer.Write(piece); }));
  JIKJI_ASSIGN(const Digest written, writer.Seal());
  if (written != digest) return Fail(ErrorCode::kIo, "a compact blob is damaged", hex);
  bool published = false;  // a second attempt has nothing left to rename
  JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
    if (!published) JIKJI_RETURN_IF_ERROR(writer.Publish());
    published = true;
    JIKJI_RETURN_IF_ERROR(database.Run("DELETE FROM compact_blobs WHERE digest = $1", {hex}));
    return {};
  }));
  return Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const SqlRows compact,
                 database.Run("SELECT 1 FROM compact_blobs WHERE digest = $1", {hex}));
    return compact.empty() ? blobs.Remove({digest, true, 0}) : Result<>();
  });
}

}  // namespace

Result<std::vector<std::string>> RestoreOrphans(Database& database, const BlobStore& blobs,
                                                std::vector<std::string>& failed) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT c.source, s.size, c.digest, b.size FROM compact_blobs c JOIN "
                            "blobs s ON s.digest = c.source JOIN blobs b ON b.digest = c.digest "
                            "WHERE c.source NOT IN (SELECT digest FROM repository_blobs) AND "
                            "c.source NOT IN (SELECT digest FROM leases)"));
  std::map<std::string, Room> orphans;
  for (size_t row = 0; row < rows.size(); ++row) {
    Room& room = orphans[rows.Text(row, 0)];
    if (room.blobs.empty()) room.now = static_cast<uint64_t>(rows.Int(row, 1));
    JIKJI_ASSIGN(const Digest digest, ParseDigest(rows.Text(row, 2)));
    std::error_code gone;
    const uint64_t stored = std::filesystem::file_size(blobs.CompactPathOf(digest), gone);
    room.now += gone ? 0 : stored;
    room.plain += static_cast<uint64_t>(rows.Int(row, 3));
    room.blobs.push_back(rows.Text(row, 2));
  }
  std::vector<std::string> out;
  for (const auto& [source, room] : orphans) {
    if (room.plain >= room.now) continue;
    for (const std::string& blob : room.blobs) {
      if (std::ranges::find(out, blob) != out.end()) continue;  // by another source
      const auto restored = Restore(database, blobs, blob);
      if (restored) {
        out.push_back(blob);
      } else if (restored.error().code == ErrorCode::kIo) {
        failed.push_back(restored.error().ToString());
      } else {
        return std::unexpected(restored.error());
      }
    }
  }
  return out;
}

Result<std::vector<DamagedBlob>> CheckStore(
    Hub& hub, const std::function<void(uint64_t read, uint64_t bytes)>& progress) {
  JIKJI_ASSIGN(const Hub::Session session, hub.Connect());
  JIKJI_ASSIGN(const SqlRows rows, session->Run("SELECT digest, size FROM blobs"));
  uint64_t bytes = 0;
  for (size_t row = 0; row < rows.size(); ++row) bytes += static_cast<uint64_t>(rows.Int(row, 1));
  uint64_t read = 0;
  std::vector<DamagedBlob> out;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (progress) progress(read, bytes);
    read += static_cast<uint64_t>(rows.Int(row, 1));
    const std::string hex = rows.Text(row, 0);
    JIKJI_ASSIGN(const Digest digest, ParseDigest(hex));
    const auto check = [&]() -> Result<> {
      JIKJI_ASSIGN(const Blob blob, hub.blobs().OpenBlob(digest));
      JIKJI_ASSIGN(const Digest found, DigestOf(*blob.source()));
      if (found == digest) return {};
      return Fail(ErrorCode::kIo, "its bytes are not those of its digest", hex);
    };
    const auto good = check();
    JIKJI_RETURN_IF_ERROR(MarkDamaged(*session, digest, !good));
    if (good) continue;
    JIKJI_ASSIGN(const SqlRows still, session->Run("SELECT 1 FROM blobs WHERE digest = $1", {hex}));
    if (still.empty()) continue;  // collected meanwhile
    DamagedBlob damaged{hex, good.error().message, {}};
    JIKJI_ASSIGN(const SqlRows holders,
                 session->Run("SELECT r.name FROM repositories r JOIN repository_blobs h ON "
                              "h.repository = r.id WHERE h.digest = $1 ORDER BY r.name",
                              {hex}));
    for (size_t i = 0; i < holders.size(); ++i) damaged.models.push_back(holders.Text(i, 0));
    out.push_back(std::move(damaged));
  }
  return out;
}

}  // namespace jikji::hub
