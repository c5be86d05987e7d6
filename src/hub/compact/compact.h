// Stores weights that are near others as their differences to them: exactly the same bytes for
// whoever reads, in less room.
//
// Contract: a file becomes compact only against files that stay plain, so reading one opens no
// chain; what is written is read back and held to the blob's SHA-256 before the plain file goes;
// the collector keeps what a compact file needs, whoever deletes its repository. Killed anywhere,
// the blob is readable, and the next collection removes what was left. Works beside a server and
// pushes. Non-goals: weights that stand alone; formats that tensor/ does not read.
#ifndef JIKJI_HUB_COMPACT_COMPACT_H_
#define JIKJI_HUB_COMPACT_COMPACT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "hub/hub.h"

namespace jikji::hub {

struct CompactOptions {
  bool dry_run = false;  // everything is measured and nothing written
  // Before each file: which it is of how many.
  std::function<void(size_t file, size_t files)> progress;
};

struct CompactedFile {
  std::string model;
  std::string path;
  Digest digest{};
  uint64_t bytes = 0;
  uint64_t stored = 0;
  uint64_t shared = 0;  // of `bytes`: in tensors that another file has, byte for byte
};

struct CompactReport {
  size_t files = 0;         // of weights in the hub, each once
  uint64_t bytes = 0;       // of these
  uint64_t stored = 0;      // what they took on the disk before
  uint64_t stored_now = 0;  // and take now, or would
  std::vector<CompactedFile> compacted;
  std::vector<std::string> failed;    // damaged, or could not be written: which and why
  std::vector<std::string> restored;  // stand plain again: their base was kept for nothing else
};

Result<CompactReport> CompactHub(Hub& hub, const CompactOptions& options, ThreadPool& pool);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_COMPACT_COMPACT_H_
