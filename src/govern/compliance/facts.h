// What can be shown of a site: from its store, its audit log and its settings.
#ifndef JIKJI_GOVERN_COMPLIANCE_FACTS_H_
#define JIKJI_GOVERN_COMPLIANCE_FACTS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "govern/compliance/duty.h"
#include "govern/guard/policy.h"
#include "store/database.h"

namespace jikji::compliance {

struct Site {
  std::filesystem::path audit;         // folder of the log; empty: none is kept
  std::optional<guard::Policy> guard;  // none: prompts and answers are not screened
  int64_t now = 0;                     // seconds since 1970 UTC
};

// What the audit log holds: also the monthly review of accesses.
struct LogSummary {
  bool kept = false;
  uint64_t records = 0, heads = 0, faults = 0;
  int64_t first = 0;  // seconds since 1970 UTC
  std::map<std::string, uint64_t> events;
  std::map<std::string, uint64_t> refusals;  // by reason
};
Result<LogSummary> SummariseLog(const std::filesystem::path& folder, int64_t from);

Result<std::vector<Fact>> GatherFacts(Database& database, const Site& site);

}  // namespace jikji::compliance

#endif  // JIKJI_GOVERN_COMPLIANCE_FACTS_H_
