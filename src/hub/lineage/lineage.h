// What a model was made from, told by its bytes and not by its card alone.
//
// Contract: of each base that a card or a recipe names, one of three is said. *Proved*: the
// repository's recipe was run again and gave the same weights, bit for bit. *Consistent*: the
// weights stand in the base's or near them. *Claimed*: neither, with the reason. What was found is
// kept for the commit, and shown on the model's page. Non-goals: finding bases that nobody names.
#ifndef JIKJI_HUB_LINEAGE_LINEAGE_H_
#define JIKJI_HUB_LINEAGE_LINEAGE_H_

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "hub/card.h"
#include "hub/commits.h"
#include "hub/hub.h"
#include "hub/lineage/compare.h"
#include "hub/repositories.h"

namespace jikji::hub {

enum class Standing { kClaimed, kConsistent, kProved };
std::string_view StandingName(Standing standing);

struct Ancestor {
  std::string base;      // OWNER/NAME
  std::string relation;  // as the card says; may be empty
  std::string commit;    // of the base, that was looked at; empty where it is not on this hub
  Standing standing = Standing::kClaimed;
  std::string english, korean;           // why
  std::optional<Comparison> comparison;  // where both could be read
};

// Reads every weight of the model and its bases, and makes it again where it has a recipe; keeps
// what it finds. For the hub's operator: bases are read whoever may read them.
Result<std::vector<Ancestor>> FindLineage(Hub& hub, Database& database,
                                          const Repository& repository, const Commit& commit,
                                          ThreadPool& pool);

// What was found for a commit; empty where nobody looked.
Result<std::vector<Ancestor>> KeptLineage(Database& database, int64_t repository,
                                          const std::string& commit);

boost::json::array JsonOf(const std::vector<Ancestor>& lineage);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_LINEAGE_LINEAGE_H_
