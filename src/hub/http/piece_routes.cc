// Jikji's own addition: what each piece of a large file hashes to, so that a client can take pieces
// in any order, from anywhere, and hold each to its digest.
#include "hub/http/files.h"
#include "hub/http/routes.h"
#include "store/sha256_lane.h"

namespace jikji::hub {
namespace json = boost::json;

namespace {

constexpr uint64_t kPieceBytes = 16u << 20;
constexpr size_t kReadBytes = 1u << 20;

// One hexadecimal digest behind the other.
// The blob is held to its own digest: pieces of damaged bytes would be believed for ever.
Result<std::string> HashPieces(const Blob& file, const Digest& digest) {
  std::string out;
  Sha256Lane whole;
  std::string buffer(kReadBytes, '\0');
  for (uint64_t begin = 0; begin < file.size(); begin += kPieceBytes) {
    const uint64_t end = std::min(begin + kPieceBytes, file.size());
    Sha256Lane hash;
    for (uint64_t at = begin; at < end;) {
      const size_t count = std::min<uint64_t>(buffer.size(), end - at);
      JIKJI_RETURN_IF_ERROR(file.Read(at, std::span(buffer).first(count)));
      const std::string_view read = std::string_view(buffer).substr(0, count);
      Sha256Lane::UpdateBoth(hash, read, whole, read);
      at += count;
    }
    out += HexOf(hash.Finish());
  }
  if (whole.Finish() == digest) return out;
  return Fail(ErrorCode::kIo, "the stored file is damaged: `jikji hub fsck` tells more");
}

}  // namespace

// Computed when it is first asked for, then kept: blobs never change.
HttpResult<net::Response> RepoPieces(Call& call) {
  JIKJI_ASSIGN(const NamedFile named, FileNamed(call));
  const std::string digest = HexOf(named.file.digest);
  JIKJI_ASSIGN(const SqlRows rows,
               call.database.Run("SELECT sha256 FROM pieces WHERE digest = $1", {digest}));
  std::string hashes = rows.Text(0, 0);
  if (rows.empty()) {
    JIKJI_ASSIGN(const Blob file, call.hub.blobs().OpenBlob(named.file.digest));
    JIKJI_ASSIGN(hashes, HashPieces(file, named.file.digest));
    JIKJI_RETURN_IF_ERROR(call.database.Run(
        "INSERT INTO pieces (digest, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        {digest, hashes}));
  }
  json::array list;
  for (size_t at = 0; at < hashes.size(); at += 64) list.emplace_back(hashes.substr(at, 64));
  return JsonResponse(json::object{{"piece_bytes", kPieceBytes}, {"sha256", std::move(list)}});
}

}  // namespace jikji::hub
