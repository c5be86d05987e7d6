// What may be spent, what is reserved and what was used: the counters behind every admission.
//
// A request reserves the most it can cost against each budget of its key, project and organisation,
// and its tokens against each rate; or it reserves nothing and is told why. Where a hard budget has
// less left than the request could cost, its output is cut to what the rest buys. Settled by the
// engine's own count, the difference is free again. One lock over it all: a decision takes a
// fraction of a microsecond, and no interleaving can overspend.
//
// Counters of money are held per window, and a cost belongs to the window of its admission: a clock
// that steps back finds the old window as it was. Rates are per server; budgets are shared through
// slices. Lifetime: outlives every meter it made.
#ifndef JIKJI_GOVERN_LEDGER_LEDGER_H_
#define JIKJI_GOVERN_LEDGER_LEDGER_H_

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/ticket.h"
#include "govern/clock.h"
#include "govern/ledger/journal.h"
#include "govern/ledger/rate.h"
#include "govern/ledger/slices.h"
#include "govern/tenancy/directory.h"

namespace jikji {

// The limit that is nearest, for the client to see.
struct RateStatus {
  int64_t limit = 0;
  int64_t remaining = 0;
  int64_t reset_microseconds = 0;  // until all of it is there again
};

struct LedgerStatus {
  std::optional<RateStatus> requests, tokens;
  std::optional<ScopeKind> over_soft_budget;
};

struct Demand {
  const ApiKey& key;
  std::string_view model;
  int64_t prompt_tokens = 0;
  int64_t max_output_tokens = 0;  // of all choices together
  int32_t choices = 1;
  const Prices* prices = nullptr;  // nullptr: this model has none in the key's currency
};

struct Grant {
  int64_t max_output_tokens = 0;  // a multiple of the choices
  std::unique_ptr<Meter> meter;   // settles when it is destroyed
};

class Ledger {
 public:
  Ledger(const Clock& clock, Journal& journal, SliceSource& slices)
      : clock_(clock), journal_(journal), slices_(slices) {}

  // Takes over budgets and limits. Levels of those that stay are kept.
  Result<> Sync(const Directory& directory);
  // Soft budgets that are used up in their present window, by id.
  void SetOverSoft(std::set<int64_t> budgets);

  // `status` is filled whether it is granted or refused. May wait for the store where a new slice
  // is needed.
  std::expected<Grant, Refusal> Reserve(const Demand& demand, LedgerStatus& status);

  // The journal's own calls, under the lock that guards it.
  std::vector<Slot*> TakeBatch(int64_t batch, size_t most);
  void FinishBatch(const std::vector<Slot*>& slots);
  Result<> PrepareJournal();
  size_t unfinished() const;
  size_t settled() const;

 private:
  friend class Reservation;

  struct WindowState {
    int64_t granted = 0, used = 0, reserved = 0;
    int64_t exhausted_until = 0;  // steady microseconds: the store had no more
    bool loaded = false;
    int64_t left() const { return granted - used - reserved; }
  };
  struct BudgetState {
    Budget budget;
    bool removed = false;
    std::map<int64_t, WindowState> windows;  // by start; addresses stay
  };
  struct LimitState {
    RateLimit limit;
    std::optional<Rate> requests, tokens;
    int64_t running = 0;
  };
  // What applies to a key. States live as long as the ledger: reservations point at them.
  struct KeyState {
    std::vector<BudgetState*> budgets;
    std::vector<LimitState*> limits;
  };
  // One reading of the clocks for a whole decision: the month may end within it.
  struct Moment {
    int64_t steady, wall;
  };
  // A slice that must be asked for before a decision can fall.
  struct Need {
    BudgetState* budget = nullptr;
    int64_t window_start = 0;
    int64_t keep = 0, need = 0, ask = 0;
  };

  std::expected<Grant, Refusal> Decide(const Demand& demand, LedgerStatus& status, Need& need);
  std::optional<Refusal> CheckRates(const Demand& demand, const KeyState& state, int64_t now,
                                    int64_t& output);
  std::optional<Refusal> CheckBudgets(const Demand& demand, const KeyState& state, Moment now,
                                      int64_t& output, Need& need);
  std::optional<Refusal> CheckTokens(const Demand& demand, const KeyState& state, int64_t now,
                                     int64_t tokens);
  std::expected<std::unique_ptr<Meter>, Refusal> Commit(const Demand& demand, KeyState& state,
                                                        int64_t wall, int64_t output);
  void FillStatus(std::string_view model, const KeyState& state, int64_t now,
                  LedgerStatus& status) const;
  KeyState& StateOf(const ApiKey& key);
  WindowState& WindowOf(BudgetState& state, int64_t start);
  static void SetRate(std::optional<Rate>& rate, const std::optional<int64_t>& per_minute,
                      int64_t now);

  const Clock& clock_;
  Journal& journal_;
  SliceSource& slices_;
  std::mutex slice_mutex_;  // one asks the store at a time

  mutable std::mutex mutex_;  // over what follows, and the journal
  std::map<int64_t, std::unique_ptr<BudgetState>> budgets_;
  std::map<std::pair<Scope, std::string>, std::unique_ptr<LimitState>> limits_;
  std::map<Scope, KeyState> by_scope_;
  std::unordered_map<int64_t, KeyState> by_key_;  // made when a key is first seen
  std::set<int64_t> over_soft_;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_LEDGER_LEDGER_H_
