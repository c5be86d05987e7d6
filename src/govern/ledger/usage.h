// Usage in the store: written from the journal in batches, read for reports.
//
// A row is what one key used of one model within one minute at one price, so that a finance team
// can recompute every cost from the tokens and prices beside it.
#ifndef JIKJI_GOVERN_LEDGER_USAGE_H_
#define JIKJI_GOVERN_LEDGER_USAGE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "govern/ledger/journal.h"
#include "govern/ledger/money.h"
#include "store/database.h"

namespace jikji {

// The number of the last batch of this server that is in the store; 0 where there is none.
Result<int64_t> LastBatch(Database& database, const std::string& server);

// Writes a batch and its number in one transaction; does nothing where that number is there
// already: a commit whose answer was lost is not made twice.
Result<> WriteBatch(Database& database, const std::string& server, int64_t batch,
                    const std::vector<Slot*>& slots);

struct UsageRow {
  int64_t minute = 0;  // its first second, UTC since 1970
  int64_t organisation = 0, project = 0, key = 0;
  std::string model, currency;
  Prices prices;
  int64_t requests = 0;
  Tokens tokens;
  int64_t cost = 0;  // nano-units
};

struct UsageQuery {
  int64_t from = 0, until = 0;            // seconds; `until` is not included
  int64_t organisation = 0, project = 0;  // 0: all
};

// In the order of time.
Result<> ReadUsage(Database& database, const UsageQuery& query,
                   const std::function<void(const UsageRow&)>& take);

// A line of RFC 4180, or the head of the columns.
std::string UsageCsvHead();
std::string UsageCsvLine(const UsageRow& row);

}  // namespace jikji

#endif  // JIKJI_GOVERN_LEDGER_USAGE_H_
