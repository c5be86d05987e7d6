#include "govern/ledger/usage.h"

#include <fmt/format.h>

#include <map>
#include <tuple>
#include <utility>

#include "govern/ledger/calendar.h"
#include "govern/tenancy/directory.h"

namespace jikji {
namespace {

constexpr int64_t kMinute = 60;

using UsageKey = std::tuple<int64_t, int64_t, int64_t, int64_t, std::string, std::string, int64_t,
                            int64_t, int64_t>;
// What a budget's window must be charged with: scope and moment, by which budgets are found.
using ScopeHour = std::pair<Scope, int64_t>;

struct Sums {
  std::map<UsageKey, UsageRow> rows;
  // A window of any kind is made of whole Korean hours.
  std::map<ScopeHour, int64_t> costs;
};

Result<Sums> AddUp(const std::vector<Slot*>& slots) {
  Sums sums;
  for (const Slot* slot : slots) {
    const Admission& admission = slot->admission;
    const Tokens used = slot->Used();
    if (used.input == 0) continue;  // the engine never began with it
    JIKJI_ASSIGN(const int64_t cost, Cost(admission.prices, used));
    const int64_t minute = admission.admitted_at / kMinute * kMinute;
    UsageRow& row = sums.rows[{minute, admission.organisation, admission.project, admission.key,
                               admission.model, admission.currency, admission.prices.input,
                               admission.prices.cached, admission.prices.output}];
    ++row.requests;
    row.tokens.input += used.input;
    row.tokens.cached += used.cached;
    row.tokens.output += used.output;
    row.cost += cost;
    const int64_t hour = WindowStart(Window::kHour, admission.admitted_at);
    for (const Scope scope :
         {Scope{ScopeKind::kOrganisation, admission.organisation},
          Scope{ScopeKind::kProject, admission.project}, Scope{ScopeKind::kKey, admission.key}}) {
      sums.costs[{scope, hour}] += cost;
    }
  }
  return sums;
}

Result<> AddRow(Database& database, const UsageKey& key, const UsageRow& row) {
  const auto& [minute, organisation, project, api_key, model, currency, input, cached, output] =
      key;
  JIKJI_RETURN_IF_ERROR(database.Run(
      "INSERT INTO usage (minute, organisation, project, api_key, model, currency, input_price, "
      "cached_price, output_price, requests, input_tokens, cached_tokens, output_tokens, cost) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (minute, "
      "organisation, project, api_key, model, currency, input_price, cached_price, output_price) "
      "DO UPDATE SET requests = usage.requests + excluded.requests, input_tokens = "
      "usage.input_tokens + excluded.input_tokens, cached_tokens = usage.cached_tokens + "
      "excluded.cached_tokens, output_tokens = usage.output_tokens + excluded.output_tokens, "
      "cost = usage.cost + excluded.cost",
      {minute, organisation, project, api_key, model, currency, input, cached, output, row.requests,
       row.tokens.input, row.tokens.cached, row.tokens.output, row.cost}));
  return {};
}

// Charges every budget of the scope, in its window of that hour.
Result<> ChargeBudgets(Database& database, const std::string& server, const ScopeHour& at,
                       int64_t cost) {
  JIKJI_ASSIGN(const SqlRows budgets,
               database.Run("SELECT id, span FROM budgets WHERE scope_kind = $1 AND scope_id = $2",
                            {std::string(ScopeKindName(at.first.kind)), at.first.id}));
  for (size_t i = 0; i < budgets.size(); ++i) {
    JIKJI_ASSIGN(const Window window, ParseWindow(budgets.Text(i, 1)));
    JIKJI_RETURN_IF_ERROR(database.Run(
        "INSERT INTO budget_slices (budget, window_start, server, granted, settled) VALUES "
        "($1, $2, $3, 0, $4) ON CONFLICT (budget, window_start, server) DO UPDATE SET "
        "settled = budget_slices.settled + excluded.settled",
        {budgets.Int(i, 0), WindowStart(window, at.second), server, cost}));
  }
  return {};
}

}  // namespace

Result<int64_t> LastBatch(Database& database, const std::string& server) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT batch FROM servers WHERE id = $1", {server}));
  return rows.Int(0, 0);
}

Result<> WriteBatch(Database& database, const std::string& server, int64_t batch,
                    const std::vector<Slot*>& slots) {
  JIKJI_ASSIGN(const Sums sums, AddUp(slots));
  return InTransaction(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const int64_t last, LastBatch(database, server));
    if (last >= batch) return {};
    for (const auto& [key, row] : sums.rows) JIKJI_RETURN_IF_ERROR(AddRow(database, key, row));
    for (const auto& [at, cost] : sums.costs) {
      JIKJI_RETURN_IF_ERROR(ChargeBudgets(database, server, at, cost));
    }
    JIKJI_RETURN_IF_ERROR(
        database.Run("INSERT INTO servers (id, batch) VALUES ($1, $2) ON CONFLICT (id) "
                     "DO UPDATE SET batch = excluded.batch",
                     {server, batch}));
    return {};
  });
}

Result<> ReadUsage(Database& database, const UsageQuery& query,
                   const std::function<void(const UsageRow&)>& take) {
  JIKJI_ASSIGN(
      const SqlRows rows,
      database.Run("SELECT minute, organisation, project, api_key, model, currency, input_price, "
                   "cached_price, output_price, requests, input_tokens, cached_tokens, "
                   "output_tokens, cost FROM usage WHERE minute >= $1 AND minute < $2 "
                   "AND ($3 = 0 OR organisation = $3) AND ($4 = 0 OR project = $4) "
                   "ORDER BY minute, organisation, project, api_key, model, currency, "
                   "input_price, cached_price, output_price",
                   {query.from, query.until, query.organisation, query.project}));
  for (size_t i = 0; i < rows.size(); ++i) {
    UsageRow row;
    row.minute = rows.Int(i, 0);
    row.organisation = rows.Int(i, 1);
    row.project = rows.Int(i, 2);
    row.key = rows.Int(i, 3);
    row.model = rows.Text(i, 4);
    row.currency = rows.Text(i, 5);
    row.prices = {rows.Int(i, 6), rows.Int(i, 7), rows.Int(i, 8)};
    row.requests = rows.Int(i, 9);
    row.tokens = {rows.Int(i, 10), rows.Int(i, 11), rows.Int(i, 12)};
    row.cost = rows.Int(i, 13);
    take(row);
  }
  return {};
}

std::string UsageCsvHead() {
  return "minute,organisation,project,key,model,currency,input_price,cached_price,output_price,"
         "requests,input_tokens,cached_tokens,output_tokens,cost\r\n";
}

std::string UsageCsvLine(const UsageRow& row) {
  std::string model = "\"";
  for (const char c : row.model) {
    if (c == '"') model += '"';
    model += c;
  }
  model += '"';
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n", FormatTime(row.minute),
                     row.organisation, row.project, row.key, model, row.currency,
                     FormatMoney(row.prices.input), FormatMoney(row.prices.cached),
                     FormatMoney(row.prices.output), row.requests, row.tokens.input,
                     row.tokens.cached, row.tokens.output, FormatMoney(row.cost));
}

}  // namespace jikji
