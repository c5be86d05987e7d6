// What a hub over the network tells of a repository that is mirrored: its refs and commits.
#ifndef JIKJI_HUB_MIRROR_SOURCE_H_
#define JIKJI_HUB_MIRROR_SOURCE_H_

#include <string>
#include <vector>

#include "base/error.h"
#include "hub/client/remote.h"
#include "hub/commits.h"

namespace jikji::hub {

// Branches and tags whose names a hub can hold.
Result<std::vector<Ref>> RefsAt(Remote& source, const std::string& repository);

// What is known of a commit; its tree, its parent and its id's proof are not told of. Of a hub of
// this kind the parent is known.
Result<Commit> CommitAt(Remote& source, const std::string& repository, const std::string& oid);

// True where only those who were let in may read it.
Result<bool> IsClosedAt(Remote& source, const std::string& repository);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_MIRROR_SOURCE_H_
