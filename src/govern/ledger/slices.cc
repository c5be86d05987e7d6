#include "govern/ledger/slices.h"

#include <algorithm>

namespace jikji {

Result<Slice> SliceSource::Grant(const Budget& budget, int64_t window_start, int64_t keep,
                                 int64_t need, int64_t ask) {
  const std::lock_guard lock(mutex_);
  Slice slice;
  JIKJI_RETURN_IF_ERROR(InTransaction(*database_, [&]() -> Result<> {
    slice = {};
    // The amount as it stands now, not as the directory in memory has it.
    JIKJI_ASSIGN(const SqlRows amount,
                 database_->Run("SELECT amount FROM budgets WHERE id = $1", {budget.id}));
    JIKJI_ASSIGN(const SqlRows rows,
                 database_->Run("SELECT server, granted, settled FROM budget_slices "
                                "WHERE budget = $1 AND window_start = $2",
                                {budget.id, window_start}));
    int64_t left = amount.Int(0, 0);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows.Text(i, 0) == server_) {
        slice.settled = rows.Int(i, 2);
      } else {
        // A server may have settled more than it was granted: of requests from before the budget.
        left -= std::max(rows.Int(i, 1), rows.Int(i, 2));
      }
    }
    slice.granted = std::max(keep, slice.settled);
    left -= slice.granted;
    const int64_t given = std::clamp<int64_t>(left, 0, ask);
    slice.last = given < need;
    slice.granted += given;
    JIKJI_RETURN_IF_ERROR(
        database_->Run("INSERT INTO budget_slices (budget, window_start, server, granted, settled) "
                       "VALUES ($1, $2, $3, $4, 0) ON CONFLICT (budget, window_start, server) "
                       "DO UPDATE SET granted = excluded.granted",
                       {budget.id, window_start, server_, slice.granted}));
    return {};
  }));
  return slice;
}

Result<> SliceSource::Return(int64_t budget, int64_t window_start, int64_t keep) {
  const std::lock_guard lock(mutex_);
  return InTransaction(*database_, [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR(
        database_->Run("UPDATE budget_slices SET granted = $1 WHERE budget = $2 "
                       "AND window_start = $3 AND server = $4 AND granted > $1",
                       {keep, budget, window_start, server_}));
    return {};
  });
}

}  // namespace jikji
