// How long each kind of record is kept, as dated data, and the run that deletes what is past it.
//
// Kinds: `content` (what the audit log holds of prompts and answers: deleted by destroying the keys
// of the months that are over, on every server, each with a record as its certificate), `usage`
// (minutes of usage in the store) and `acts` (of administration, in the store). The audit log's own
// records are never deleted: it would not verify. Months are Korean, and deleted whole.
#ifndef JIKJI_GOVERN_COMPLIANCE_RETENTION_H_
#define JIKJI_GOVERN_COMPLIANCE_RETENTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "govern/audit/trail.h"
#include "store/database.h"

namespace jikji::compliance {

enum class RecordKind { kContent, kUsage, kActs };
std::string_view RecordKindName(RecordKind kind);

struct RetentionRule {
  RecordKind kind = RecordKind::kContent;
  int64_t from = 0;  // in force from this moment, until a later rule of the kind is
  int64_t days = 0;
  std::string text, text_ko;  // why
};

// The file of rules; `where` is its name in errors. Each kind has at least one rule.
Result<std::vector<RetentionRule>> ReadRetention(std::string_view text, std::string_view where);

// What is past its time at `now`, by the rules in force then.
struct Expiry {
  RetentionRule rule;
  int64_t before = 0;  // records from before this moment are; content: the start of a month
  int64_t rows = 0;    // of the store; 0 for content
};
Result<std::vector<Expiry>> FindExpired(Database& database, const std::vector<RetentionRule>& rules,
                                        int64_t now);

// Deletes it, in one transaction with the acts that say so. Acts stay until every server's audit
// log has them. Content goes when a server reads its act: within a second where one runs.
Result<> DeleteExpired(Database& database, const std::vector<Expiry>& expired,
                       const std::string& actor, int64_t now);

// What such an act is for a server: destroys the keys, and writes a certificate for each tenant;
// where the last one stands. Done anew after a crash it comes to the same.
inline constexpr std::string_view kContentExpired = "content.expired";
Result<audit::Position> ExpireContent(audit::Trail& trail, std::string_view detail,
                                      const std::vector<std::string>& tenants);

}  // namespace jikji::compliance

#endif  // JIKJI_GOVERN_COMPLIANCE_RETENTION_H_
