// Budgets shared by servers: each takes slices of a window and spends only those (escrow).
//
// The store holds what each server was granted and has settled, by window. In every transaction
// Σ granted ≤ amount, and a server never spends more than its own: so Σ spent ≤ amount, whatever
// happens between. What a server that died had left stays taken until it comes back or the window
// ends: a budget is never overspent, though a little may go unspent.
#ifndef JIKJI_GOVERN_LEDGER_SLICES_H_
#define JIKJI_GOVERN_LEDGER_SLICES_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "govern/tenancy/directory.h"
#include "store/database.h"

namespace jikji {

struct Slice {
  int64_t granted = 0;  // to this server, in this window, from the first on
  int64_t settled = 0;  // by this server, as far as it is in the store
  bool last = false;    // less was left than was wanted
};

class SliceSource {
 public:
  SliceSource(std::unique_ptr<Database> database, std::string server)
      : database_(std::move(database)), server_(std::move(server)) {}

  // This server holds `keep` of the window, spent and reserved, and nothing else any more; it is
  // granted up to `ask` beside it, of which `need` makes a request possible. What was settled in
  // the store is kept too where that is more: after a start.
  Result<Slice> Grant(const Budget& budget, int64_t window_start, int64_t keep, int64_t need,
                      int64_t ask);

  // Gives back all beyond `keep`.
  Result<> Return(int64_t budget, int64_t window_start, int64_t keep);

 private:
  std::mutex mutex_;  // over the connection
  const std::unique_ptr<Database> database_;
  const std::string server_;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_LEDGER_SLICES_H_
