// Serves the pieces that a pull holds to others that pull the same model.
//
// Contract: a piece is asked for by its SHA-256, GET /pieces/DIGEST, which a hub tells only those
// who may read the model, so knowing it is the right to have it. (A file of one piece is not
// shared: its digest is in lists that more may see.) A piece is served once it was hashed in this
// program: those that were there before are hashed when they are first asked for. 503: not here
// yet. 404: nor will it be.
#ifndef JIKJI_HUB_CLIENT_SHARE_H_
#define JIKJI_HUB_CLIENT_SHARE_H_

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/workers.h"
#include "net/server.h"

namespace jikji::hub {

class PieceShare {
 public:
  // `address`: HOST:PORT as others name it; it listens there.
  static Result<std::unique_ptr<PieceShare>> Start(const std::string& address);
  ~PieceShare();

  using SharedFile = std::shared_ptr<const OpenFile>;
  // A file of these pieces, one of which it has where `has` says so. `path` may be renamed later.
  // Null where it is not shared.
  Result<SharedFile> Add(const std::filesystem::path& path, uint64_t piece_bytes,
                         const std::vector<std::string>& digests, const std::vector<bool>& has);
  // A piece of `file` came, and was right; others may hash to the same and not be here.
  void Have(const std::string& digest, const SharedFile& file, uint64_t offset);
  // Every file was added: what is not known now will not be here.
  void AllAdded();

  // Until nobody has asked for that long.
  void WaitUntilQuiet(std::chrono::milliseconds quiet);

  uint64_t served_bytes() const;
  uint16_t port() const { return server_->port(); }

 private:
  enum class State { kMissing, kUnchecked, kGood };
  struct Piece {
    SharedFile file;
    uint64_t offset = 0;
    uint64_t length = 0;
    State state = State::kMissing;
  };

  PieceShare() : workers_(1, 1024) {}
  net::Response Answer(const std::string& digest);
  void Check(const std::string& digest, const Piece& piece);

  mutable std::mutex mutex_;
  std::map<std::string, Piece> pieces_;
  bool all_added_ = false;
  uint64_t served_bytes_ = 0;
  std::chrono::steady_clock::time_point last_asked_;
  Workers workers_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_SHARE_H_
