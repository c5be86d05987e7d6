// Repositories: made, found, listed, moved, deleted.
//
// A repository is born with a first commit that holds nothing, on the branch `main`, so that
// whoever reads it finds a revision. Names that differ only in case are one.
#ifndef JIKJI_HUB_REPOSITORIES_H_
#define JIKJI_HUB_REPOSITORIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/hub.h"

namespace jikji::hub {

struct Repository {
  int64_t id = 0;
  std::string kind;  // "model", "dataset" or "space"
  std::string name;  // OWNER/NAME
  bool is_private = false;
  std::string gated;  // empty, "auto" or "manual"
  int64_t created_at = 0;
};

struct Created {
  Repository repository;
  bool existed = false;  // it was there already and is as it was
};
Result<Created> CreateRepository(Database& database, const std::string& kind,
                                 const std::string& name, bool is_private,
                                 const std::string& author);

// kNotFound where there is none.
Result<Repository> FindRepository(Database& database, const std::string& kind,
                                  std::string_view name);

// By name, of those after `after`; `search` and `owner`: empty, or what the name holds and whose
// it is.
Result<std::vector<Repository>> ListRepositories(Database& database, const std::string& kind,
                                                 const std::string& search,
                                                 const std::string& owner, const std::string& after,
                                                 size_t limit);

// Its commits and refs go; its blobs stay until the collector finds them unused.
Result<> DeleteRepository(Database& database, int64_t id);
// kInvalidArgument where the new name is taken.
Result<> MoveRepository(Database& database, int64_t id, const std::string& name);
Result<> UpdateRepository(Database& database, const Repository& repository);

// Bytes of the distinct blobs that its commits hold.
Result<uint64_t> UsedBytes(Database& database, int64_t id);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_REPOSITORIES_H_
