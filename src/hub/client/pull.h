// Downloads a revision into the cache of Hugging Face's clients.
//
// Contract: a file under its etag is whole and right. Large files come in pieces over several
// connections; each piece is held to its SHA-256 before it counts, and what counts is remembered,
// so that a pull that was killed goes on where it was: it loses at most the pieces under way. Where
// the hub tells of no pieces, the whole file is hashed once it is there. A pull does not wait for
// the disk: the next one does, or hashes all again where the machine was restarted in between.
// With peers, pieces come from those that have them (peers.h), each held to the hub's digest.
#ifndef JIKJI_HUB_CLIENT_PULL_H_
#define JIKJI_HUB_CLIENT_PULL_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/client/peers.h"
#include "hub/client/remote.h"
#include "hub/client/share.h"

namespace jikji::hub {

struct PullOptions {
  std::string repository;
  std::string revision = "main";
  std::filesystem::path cache;
  size_t connections = 4;
  std::vector<std::string> peers = {};  // HOST:PORT of others that pull the same
  std::string self = {};                // this one's address among them, where it shares
  PeerLimits peer_limits = {};
  PieceShare* share = nullptr;  // is told of every piece that is here
  std::function<void(uint64_t done, uint64_t total)> progress = nullptr;
};

struct PullReport {
  std::string commit;
  std::filesystem::path snapshot;
  size_t files = 0;
  uint64_t bytes = 0;          // of all files
  uint64_t fetched_bytes = 0;  // that were not there already
  uint64_t peer_bytes = 0;     // of those, from peers
};

Result<PullReport> Pull(Remote& remote, const PullOptions& options);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_PULL_H_
