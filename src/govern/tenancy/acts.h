// Acts of administration, written down in the transaction that makes them: none without its record,
// whichever program acted.
//
// The table is an outbox: each server reads what is new and puts it into its own audit log, where
// it cannot be changed (governor.h). `GET /v1/organization/audit_logs` shows it to administrators.
#ifndef JIKJI_GOVERN_TENANCY_ACTS_H_
#define JIKJI_GOVERN_TENANCY_ACTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"

namespace jikji {

struct Act {
  std::string event;         // "api_key.created": OpenAI's words where there are some
  int64_t organisation = 0;  // whose; 0: the site's
  std::string target;        // "key_12", a model's name
  std::string detail;        // a JSON object; never a secret
};

// On it every server destroys the organisation's key of its audit log.
inline constexpr std::string_view kContentErased = "content.erased";

struct WrittenAct : Act {
  int64_t id = 0;  // in the order of commits
  int64_t at = 0;  // seconds since 1970 UTC
  std::string actor;
};

// Within the transaction of the act.
Result<> WriteAct(Database& database, int64_t at, const std::string& actor, const Act& act);

struct ActQuery {
  int64_t after = 0, before = INT64_MAX;  // ids; those between
  int64_t from = 0, until = INT64_MAX;    // seconds; `until` is not included
  int64_t organisation = -1;              // -1: all
  int64_t limit = 100;
};
Result<std::vector<WrittenAct>> ReadActs(Database& database, const ActQuery& query);
// The newest first.
Result<std::vector<WrittenAct>> ReadLatestActs(Database& database, const ActQuery& query);

// The last act that this server's audit log has; and that it has it.
Result<int64_t> LastRecordedAct(Database& database, const std::string& server);
Result<> SetRecordedAct(Database& database, const std::string& server, int64_t act);

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_ACTS_H_
