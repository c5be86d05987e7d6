#include "govern/ledger/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace jikji {
namespace {

// A server takes about this share of a budget at a time: few enough trips to the store, and little
// that lies with one server while another is short.
constexpr int64_t kSlicesOfABudget = 16;
// Microseconds for which "nothing is left" is believed before the store is asked again.
constexpr int64_t kExhaustedFor = 1'000'000;
// Windows of one budget kept in memory. An older one that a clock steps back into is read anew.
constexpr size_t kWindowsKept = 4;

Refusal RateRefusal(const Scope& scope, std::string_view what, int64_t microseconds) {
  return {{ErrorCode::kResourceExhausted,
           fmt::format("the {}'s limit of {} is reached", ScopeKindName(scope.kind), what),
           {}},
          "rate_limit_exceeded",
          std::max<int64_t>(1, (microseconds + 999'999) / 1'000'000)};
}

Refusal BudgetRefusal(const Budget& budget) {
  return {{ErrorCode::kResourceExhausted,
           fmt::format("what is left of the {}'s {} does not pay for this request",
                       ScopeKindName(budget.scope.kind),
                       budget.window == Window::kTotal
                           ? "whole budget"
                           : fmt::format("budget of this {}", WindowName(budget.window))),
           {}},
          budget.window == Window::kTotal
              ? "credit_balance_exhausted"
              : fmt::format("{}_spend_limit_exceeded", budget.scope.kind == ScopeKind::kOrganisation
                                                           ? "organization"
                                                           : ScopeKindName(budget.scope.kind))};
}

bool Applies(const RateLimit& limit, std::string_view model) {
  return limit.model.empty() || limit.model == model;
}

}  // namespace

// What one request holds until it is settled.
class Reservation : public Meter {
 public:
  Reservation(Ledger& ledger, Slot& slot) : ledger_(ledger), slot_(slot) {}
  ~Reservation() override {
    const std::lock_guard lock(ledger_.mutex_);
    const Tokens used = slot_.Used();
    // What was reserved had the most of each, and it did not overflow.
    const int64_t cost = Cost(slot_.admission.prices, used).value_or(0);
    for (const Held& held : budgets) {
      held.window->reserved -= held.amount;
      held.window->used += cost;
    }
    const int64_t tokens = slot_.admission.prompt_tokens + slot_.admission.max_output_tokens;
    for (Ledger::LimitState* limit : limits) {
      --limit->running;
      if (limit->tokens) limit->tokens->GiveBack(tokens - used.input - used.output);
    }
    ledger_.journal_.Settle(slot_);
  }

  // One writer, the engine's thread; readers come after a crash or after the end.
  void Count(int64_t prompt_tokens, int64_t cached_tokens, int64_t output_tokens) override {
    const Admission& admission = slot_.admission;
    const int64_t input = std::min(prompt_tokens, admission.prompt_tokens);
    slot_.input.store(input, std::memory_order_relaxed);
    slot_.cached.store(
        std::clamp(cached_tokens, slot_.cached.load(std::memory_order_relaxed), input),
        std::memory_order_relaxed);
    const int64_t output = slot_.output.load(std::memory_order_relaxed) + output_tokens;
    slot_.output.store(std::min(output, admission.max_output_tokens), std::memory_order_relaxed);
  }

  struct Held {
    Ledger::WindowState* window;
    int64_t amount;
  };
  std::vector<Held> budgets;
  std::vector<Ledger::LimitState*> limits;

 private:
  Ledger& ledger_;
  Slot& slot_;
};

void Ledger::SetRate(std::optional<Rate>& rate, const std::optional<int64_t>& per_minute,
                     int64_t now) {
  if (!per_minute) {
    rate.reset();
  } else if (!rate) {
    rate.emplace(*per_minute, now);
  } else if (rate->per_minute() != *per_minute) {
    rate->SetPerMinute(*per_minute, now);
  }
}

Result<> Ledger::Sync(const Directory& directory) {
  struct Surplus {
    int64_t budget, window_start, keep;
  };
  std::vector<Surplus> surplus;
  const auto give_back = [&](const BudgetState& state, int64_t start, WindowState& window) {
    window.granted = window.used + window.reserved;
    window.exhausted_until = 0;
    surplus.push_back({state.budget.id, start, window.granted});
  };
  {
    const std::lock_guard lock(mutex_);
    const int64_t now = clock_.SteadyMicroseconds();
    by_scope_.clear();
    by_key_.clear();
    std::set<int64_t> present;
    for (const Budget& budget : directory.budgets) present.insert(budget.id);
    for (auto& [id, state] : budgets_) {
      const bool removed = !present.contains(id);
      if (removed && !state->removed) {
        // What is spent from here on is not counted here, so that all is read anew if it comes
        // back.
        for (auto& [start, window] : state->windows) {
          give_back(*state, start, window);
          window.loaded = false;
        }
      }
      state->removed = removed;
    }
    for (const Budget& budget : directory.budgets) {
      auto& state = budgets_[budget.id];
      if (state == nullptr) state = std::make_unique<BudgetState>();
      const bool changed = state->budget.amount != budget.amount;
      state->budget = budget;
      by_scope_[budget.scope].budgets.push_back(state.get());
      if (!changed) continue;
      // What lies here unspent goes back, and is asked for anew under the new amount.
      for (auto& [start, window] : state->windows) give_back(*state, start, window);
    }
    for (const RateLimit& limit : directory.limits) {
      auto& state = limits_[{limit.scope, limit.model}];
      if (state == nullptr) state = std::make_unique<LimitState>();
      state->limit = limit;
      SetRate(state->requests, limit.requests_per_minute, now);
      SetRate(state->tokens, limit.tokens_per_minute, now);
      by_scope_[limit.scope].limits.push_back(state.get());
    }
  }
  for (const Surplus& part : surplus) {
    JIKJI_RETURN_IF_ERROR(slices_.Return(part.budget, part.window_start, part.keep));
  }
  return {};
}

void Ledger::SetOverSoft(std::set<int64_t> budgets) {
  const std::lock_guard lock(mutex_);
  over_soft_ = std::move(budgets);
}

Ledger::KeyState& Ledger::StateOf(const ApiKey& key) {
  const auto [entry, is_new] = by_key_.try_emplace(key.id);
  if (!is_new) return entry->second;
  for (const Scope scope : {Scope{ScopeKind::kKey, key.id}, Scope{ScopeKind::kProject, key.project},
                            Scope{ScopeKind::kOrganisation, key.organisation}}) {
    const auto found = by_scope_.find(scope);
    if (found == by_scope_.end()) continue;
    KeyState& state = entry->second;
    state.budgets.insert(state.budgets.end(), found->second.budgets.begin(),
                         found->second.budgets.end());
    state.limits.insert(state.limits.end(), found->second.limits.begin(),
                        found->second.limits.end());
  }
  return entry->second;
}

Ledger::WindowState& Ledger::WindowOf(BudgetState& state, int64_t start) {
  const auto known = state.windows.find(start);
  if (known != state.windows.end()) return known->second;
  for (auto old = state.windows.begin();
       old != state.windows.end() && state.windows.size() >= kWindowsKept;) {
    old = old->second.reserved == 0 ? state.windows.erase(old) : std::next(old);
  }
  return state.windows[start];
}

std::expected<Grant, Refusal> Ledger::Reserve(const Demand& demand, LedgerStatus& status) {
  for (;;) {
    Need need;
    {
      const std::lock_guard lock(mutex_);
      auto decided = Decide(demand, status, need);
      if (need.budget == nullptr) return decided;
    }
    const std::lock_guard asking(slice_mutex_);
    Budget budget;
    int64_t rest = 0;
    {
      // Who waited here may find that another's slice was enough.
      const std::lock_guard lock(mutex_);
      need = {};
      auto decided = Decide(demand, status, need);
      if (need.budget == nullptr) return decided;
      budget = need.budget->budget;
      // Until the store has answered nobody spends what lies here: it is counted anew there.
      WindowState& window = WindowOf(*need.budget, need.window_start);
      rest = window.left();
      window.granted -= rest;
    }
    auto slice = slices_.Grant(budget, need.window_start, need.keep, need.need, need.ask);
    if (!slice) {
      const std::lock_guard lock(mutex_);
      WindowOf(*need.budget, need.window_start).granted += rest;
      // Promise 3: a budget that cannot be read admits nothing.
      return std::unexpected(Refusal(
          {ErrorCode::kUnavailable, "the budget cannot be read: " + slice.error().message, {}},
          "store_unavailable", 1));
    }
    const std::lock_guard lock(mutex_);
    WindowState& window = WindowOf(*need.budget, need.window_start);
    // What was given back meanwhile stays with this server.
    window.granted = slice->granted;
    if (!window.loaded) window.used = slice->settled;
    window.loaded = true;
    if (slice->last) window.exhausted_until = clock_.SteadyMicroseconds() + kExhaustedFor;
  }
}

std::expected<Grant, Refusal> Ledger::Decide(const Demand& demand, LedgerStatus& status,
                                             Need& need) {
  const Moment moment{clock_.SteadyMicroseconds(), clock_.WallSeconds()};
  const int64_t now = moment.steady;
  KeyState& state = StateOf(demand.key);
  int64_t output = demand.max_output_tokens;
  auto refusal = CheckRates(demand, state, now, output);
  if (!refusal) refusal = CheckBudgets(demand, state, moment, output, need);
  if (!refusal && need.budget == nullptr) {
    refusal = CheckTokens(demand, state, now, demand.prompt_tokens + output);
  }
  Grant grant;
  if (!refusal && need.budget == nullptr) {
    auto meter = Commit(demand, state, moment.wall, output);
    if (meter) {
      grant = {output, std::move(*meter)};
    } else {
      refusal = std::move(meter.error());
    }
  }
  FillStatus(demand.model, state, now, status);
  if (refusal) return std::unexpected(std::move(*refusal));
  return grant;
}

std::optional<Refusal> Ledger::CheckRates(const Demand& demand, const KeyState& state, int64_t now,
                                          int64_t& output) {
  for (LimitState* limit : state.limits) {
    const Scope& scope = limit->limit.scope;
    if (!Applies(limit->limit, demand.model)) continue;
    if (limit->limit.concurrent_requests && limit->running >= *limit->limit.concurrent_requests) {
      return RateRefusal(scope, "concurrent requests", 0);
    }
    if (limit->requests && limit->requests->Available(now) < 1) {
      Refusal refusal =
          RateRefusal(scope, "requests per minute", limit->requests->UntilAvailable(1));
      if (limit->requests->per_minute() == 0) refusal.retry_after.reset();
      return refusal;
    }
    if (!limit->tokens) continue;
    // More than a minute's worth could never be let in.
    output = std::min(output, limit->tokens->per_minute() - demand.prompt_tokens);
    output -= output % demand.choices;
    if (output < 0 || (output == 0 && demand.max_output_tokens > 0)) {
      return Refusal({ErrorCode::kResourceExhausted,
                      fmt::format("the prompt's {} tokens do not fit the {}'s limit of {} tokens "
                                  "per minute",
                                  demand.prompt_tokens, ScopeKindName(scope.kind),
                                  limit->tokens->per_minute()),
                      {}},
                     "rate_limit_exceeded");
    }
  }
  return std::nullopt;
}

std::optional<Refusal> Ledger::CheckBudgets(const Demand& demand, const KeyState& state, Moment now,
                                            int64_t& output, Need& need) {
  if (demand.prompt_tokens == 0) return std::nullopt;  // a text tool
  const auto is_hard = [](const BudgetState* budget) { return budget->budget.hard; };
  if (demand.prices == nullptr) {
    if (std::ranges::none_of(state.budgets, is_hard)) return std::nullopt;
    return Refusal({ErrorCode::kPermissionDenied,
                    fmt::format("`{}` has no price in {}, so no budget can pay for it",
                                demand.model, demand.key.currency),
                    "model"},
                   "price_missing");
  }
  const auto most = Cost(*demand.prices, {demand.prompt_tokens, 0, output});
  if (!most) return Refusal(most.error());
  if (*most == 0) return std::nullopt;
  const int64_t prompt_cost = demand.prices->input * demand.prompt_tokens;
  for (BudgetState* budget : state.budgets) {
    if (!budget->budget.hard) continue;
    const int64_t start = WindowStart(budget->budget.window, now.wall);
    WindowState& window = WindowOf(*budget, start);
    if (!window.loaded || (window.left() < *most && now.steady >= window.exhausted_until)) {
      // Whole requests of this kind, so that no slice ends in a rest that buys none.
      const int64_t whole = budget->budget.amount / kSlicesOfABudget / *most * *most;
      need = {budget, start, window.used + window.reserved, *most, std::max(*most, whole)};
      return std::nullopt;
    }
    const int64_t left = window.left() - prompt_cost;
    if (demand.prices->output > 0) {
      output = std::min(output, left < 0 ? 0 : left / demand.prices->output);
      output -= output % demand.choices;
    }
    if (left < 0 || (output == 0 && demand.max_output_tokens > 0)) {
      return BudgetRefusal(budget->budget);
    }
  }
  return std::nullopt;
}

std::optional<Refusal> Ledger::CheckTokens(const Demand& demand, const KeyState& state, int64_t now,
                                           int64_t tokens) {
  for (LimitState* limit : state.limits) {
    if (!limit->tokens || !Applies(limit->limit, demand.model)) continue;
    if (limit->tokens->Available(now) < tokens) {
      return RateRefusal(limit->limit.scope, "tokens per minute",
                         limit->tokens->UntilAvailable(tokens));
    }
  }
  return std::nullopt;
}

std::expected<std::unique_ptr<Meter>, Refusal> Ledger::Commit(const Demand& demand, KeyState& state,
                                                              int64_t wall, int64_t output) {
  std::unique_ptr<Reservation> reservation;
  if (demand.prompt_tokens > 0) {
    Admission admission;
    admission.organisation = demand.key.organisation;
    admission.project = demand.key.project;
    admission.key = demand.key.id;
    admission.admitted_at = wall;
    admission.prompt_tokens = demand.prompt_tokens;
    admission.max_output_tokens = output;
    if (demand.prices != nullptr) admission.prices = *demand.prices;
    demand.key.currency.copy(admission.currency, sizeof admission.currency - 1);
    if (demand.model.size() >= sizeof admission.model) {
      return std::unexpected(
          Refusal({ErrorCode::kInvalidArgument, "the model's name is too long", "model"}));
    }
    demand.model.copy(admission.model, demand.model.size());
    auto slot = journal_.Allocate(admission);
    if (!slot) {
      return std::unexpected(Refusal(
          {ErrorCode::kUnavailable, "usage cannot be recorded: " + slot.error().message, {}},
          "journal_unavailable", 1));
    }
    reservation = std::make_unique<Reservation>(*this, **slot);
    const int64_t cost = Cost(admission.prices, {demand.prompt_tokens, 0, output}).value_or(0);
    for (BudgetState* budget : state.budgets) {
      if (!budget->budget.hard || cost == 0) continue;
      WindowState& window = WindowOf(*budget, WindowStart(budget->budget.window, wall));
      window.reserved += cost;
      reservation->budgets.push_back({&window, cost});
    }
  }
  for (LimitState* limit : state.limits) {
    if (!Applies(limit->limit, demand.model)) continue;
    if (limit->requests) limit->requests->Take(1);
    if (reservation == nullptr) continue;
    if (limit->tokens) limit->tokens->Take(demand.prompt_tokens + output);
    ++limit->running;
    reservation->limits.push_back(limit);
  }
  return reservation;
}

void Ledger::FillStatus(std::string_view model, const KeyState& state, int64_t now,
                        LedgerStatus& status) const {
  status = {};
  const auto nearest = [now](std::optional<Rate>& rate, std::optional<RateStatus>& shown) {
    if (!rate) return;
    const int64_t remaining = rate->Available(now);
    if (shown && shown->remaining <= remaining) return;
    shown = {rate->per_minute(), remaining, rate->UntilFull()};
  };
  for (LimitState* limit : state.limits) {
    if (!Applies(limit->limit, model)) continue;
    nearest(limit->requests, status.requests);
    nearest(limit->tokens, status.tokens);
  }
  for (const BudgetState* budget : state.budgets) {
    if (over_soft_.contains(budget->budget.id)) status.over_soft_budget = budget->budget.scope.kind;
  }
}

std::vector<Slot*> Ledger::TakeBatch(int64_t batch, size_t most) {
  std::vector<Slot*> slots;
  {
    const std::lock_guard lock(mutex_);
    slots = journal_.TakeBatch(most);
  }
  Journal::Mark(slots, batch);
  return slots;
}

void Ledger::FinishBatch(const std::vector<Slot*>& slots) {
  Journal::Close(slots);
  const std::lock_guard lock(mutex_);
  journal_.FinishBatch(slots);
}

Result<> Ledger::PrepareJournal() {
  Journal::Ahead ahead;
  {
    const std::lock_guard lock(mutex_);
    JIKJI_RETURN_IF_ERROR(journal_.Prepare());
    ahead = journal_.NextSlots();
  }
  Journal::Touch(ahead);
  return {};
}

size_t Ledger::unfinished() const {
  const std::lock_guard lock(mutex_);
  return journal_.unfinished();
}

size_t Ledger::settled() const {
  const std::lock_guard lock(mutex_);
  return journal_.settled();
}

}  // namespace jikji
