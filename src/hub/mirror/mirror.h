// Another hub's model kept here as it is there: its branches and tags, files and commit ids.
//
// Contract: every byte is held to the digest that the source tells, and every file passes this
// hub's door, before a branch moves; a killed mirror leaves the branches as they were, and what it
// fetched for the next run. Files that are here already are not fetched. A commit keeps the id that
// it has at the source, so that clients' `revision=` goes on working; where the source is no hub of
// this kind, the id is the source's word and not proved by git's rule. A branch that somebody
// changed here is never moved. What is gone there stays here, unless deletions are followed: then a
// branch or tag that a mirror brought, and nobody moved since, goes too; `main` and repositories
// stay.
#ifndef JIKJI_HUB_MIRROR_MIRROR_H_
#define JIKJI_HUB_MIRROR_MIRROR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/client/remote.h"
#include "hub/commits.h"
#include "hub/hub.h"

namespace jikji::hub {

struct MirrorOptions {
  std::string repository;  // OWNER/NAME at the source
  std::string into;        // here; empty: the same
  // Files that this hub's door refuses stay behind; such a commit has an id of its own.
  bool leave_out = false;
  // Branches and tags that the source deleted are deleted here.
  bool deletions = false;
  size_t connections = 4;
  std::function<void(uint64_t done, uint64_t total)> progress = nullptr;  // of one revision
};

struct MirroredRef {
  std::string kind, name;
  std::string commit;  // here
  bool changed = false;
  std::vector<std::string> left_out;
};

struct MirrorReport {
  std::vector<MirroredRef> refs;
  std::vector<Ref> deleted;
  uint64_t fetched_bytes = 0;
};

// kInvalidArgument: files that the door refuses, or a branch that was changed here. A repository
// that is made is private where the source's is private or gated.
Result<MirrorReport> Mirror(Hub& hub, Database& database, Remote& source,
                            const MirrorOptions& options);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_MIRROR_MIRROR_H_
