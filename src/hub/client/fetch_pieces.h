// Pieces of files from a hub into their files, each held to its digest.
#ifndef JIKJI_HUB_CLIENT_FETCH_PIECES_H_
#define JIKJI_HUB_CLIENT_FETCH_PIECES_H_

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "hub/client/piece_file.h"
#include "hub/client/remote.h"

namespace jikji::hub {

// One file on its way.
struct Download {
  Download(RemoteFile file, PieceFile pieces, std::vector<std::string> digests)
      : file(std::move(file)), pieces(std::move(pieces)), digests(std::move(digests)) {}

  RemoteFile file;
  PieceFile pieces;
  std::vector<std::string> digests;                  // empty: the whole is hashed at the end
  std::shared_ptr<const OpenFile> shared = nullptr;  // what PieceShare reads it by
  std::atomic<size_t> missing = 0;
};

struct PieceJob {
  std::shared_ptr<Download> download;  // null: nothing
  size_t piece = 0;
  // Where others pull the same (peers.h): its number among all pieces that are shared, whom not to
  // ask again, and since when it is asked for.
  bool shared = false;
  size_t index = 0;
  std::set<std::string> tried = {};
  std::chrono::steady_clock::time_point asked = {};

  uint64_t Begin() const { return download->pieces.Begin(piece); }
  uint64_t End() const { return download->pieces.End(piece); }
};

// Two pieces over two connections in step, since two are hashed at once faster than one after the
// other (store/sha256_lane). Written and right, but not marked. kUnavailable is worth another try.
std::array<Result<>, 2> FetchPieces(Remote& remote, const std::string& repository,
                                    const std::string& commit, const std::array<PieceJob, 2>& jobs);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_FETCH_PIECES_H_
