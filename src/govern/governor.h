// Governance of one server: who calls, what they may, and what it costs them.
//
// Decisions fall in memory, from a snapshot of the directory and the ledger's counters. A thread
// keeps both true: it looks for changes of the directory several times a second (a key that is
// revoked, or a stop, takes effect within a second on every server; a stop ends answers under way
// too), writes usage into the store, and puts the journal on the disk.
//
// While the store is away, known keys go on within the slices that were granted, their usage in the
// journal; after `patience` without an answer from it nothing is admitted (promise 3), since a
// revoked key could no longer be told from a good one.
//
// Where an audit log is kept, every decision is in it before it takes effect, and the thread
// carries the acts of administration from the store into it; what cannot be recorded is refused.
// Lifetime: outlives the engine and every Caller; `clock` outlives it.
#ifndef JIKJI_GOVERN_GOVERNOR_H_
#define JIKJI_GOVERN_GOVERNOR_H_

#include <atomic>
#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/ticket.h"
#include "govern/audit/trail.h"
#include "govern/clock.h"
#include "govern/ledger/journal.h"
#include "govern/ledger/ledger.h"
#include "govern/ledger/slices.h"
#include "govern/running_calls.h"
#include "govern/tenancy/api_key.h"
#include "govern/tenancy/directory.h"
#include "govern/tenancy/roles.h"
#include "store/database.h"

namespace jikji {

struct GovernorOptions {
  std::string store;                 // as Database::Open takes it
  std::string pepper;                // of the keys
  std::filesystem::path audit = {};  // folder of the audit log; empty: none is kept
  JournalOptions journal;
  Grade log_grade = Grade::kClassified;  // the highest data that the audit log may tell of
  std::chrono::seconds patience{600};
  const Clock* clock = &SystemClock();
  // Between looks at the store; zero: no thread, the caller calls Tick.
  std::chrono::milliseconds interval{200};
};

class Governor;

// Who made one request: the policy that admits it, as its key allows.
class Caller : public TicketIssuer {
 public:
  const ApiKey& key() const { return *key_; }
  // Models that are not the caller's are as if they were not there.
  bool MayUse(std::string_view model) const { return directory_->MayUse(*key_, model); }

  std::expected<Ticket, Refusal> Admit(const AdmissionRequest& request) override;

  // The chain of the audit log that its records stand in.
  std::string audit_tenant() const { return audit::TenantName(key_->organisation); }

  // Of the last Admit.
  const LedgerStatus& status() const { return status_; }

 private:
  friend class Governor;
  Caller(Governor& governor, std::shared_ptr<const Directory> directory, const ApiKey& key)
      : governor_(governor), directory_(std::move(directory)), key_(&key) {}
  std::expected<Ticket, Refusal> Decide(const AdmissionRequest& request);

  Governor& governor_;
  const std::shared_ptr<const Directory> directory_;
  const ApiKey* key_;
  LedgerStatus status_;
};

class Governor {
 public:
  // Replays the journal into the store and loads the directory; refuses a pepper that is not the
  // store's.
  static Result<std::unique_ptr<Governor>> Open(GovernorOptions options);
  // Writes what was settled.
  ~Governor();

  // `token`: what came as Bearer; `peer`: "address:port". Thread-safe.
  std::expected<std::shared_ptr<Caller>, Refusal> Authenticate(std::string_view token,
                                                               std::string_view peer,
                                                               Right right) const;

  // Whether a key is one of the store's that may still be used by somebody: nothing is recorded,
  // and nothing is allowed by it. Thread-safe.
  bool Knows(std::string_view token) const;

  // One round of the thread's work. An error where the store or the disk refused.
  Result<> Tick();

  // Looks at the store now: what was changed there holds here when this returns.
  Result<> Refresh();
  // For changes: one connection, one caller at a time.
  Result<> WithDatabase(const std::function<Result<>(Database&)>& work);
  const KeyHasher& hasher() const { return hasher_; }
  const Clock& clock() const { return *options_.clock; }

  std::shared_ptr<const Directory> directory() const;
  Ledger& ledger() { return *ledger_; }
  // Where an answer under way says how a stop may end it.
  RunningCalls& running_calls() { return running_calls_; }
  // Called in each round while a stop stands, and in the one in which the directory has changed,
  // after the answers under way: for what else a stop is about. One; the last that was set.
  void OnRound(std::function<void(const Directory&)> call);
  // nullptr where no audit log is kept.
  audit::Trail* trail() const { return trail_.get(); }

 private:
  friend class Caller;
  Governor(GovernorOptions options, KeyHasher hasher)
      : options_(std::move(options)), hasher_(std::move(hasher)) {}
  Result<> Start();
  void Enforce();
  Result<> WriteUsage();
  Result<> FindOverSoft();
  Result<> RecordActs();
  // `key`: whose secret it is, even where it is refused.
  std::expected<std::shared_ptr<Caller>, Refusal> Recognise(
      std::string_view token, std::string_view peer, Right right,
      const std::shared_ptr<const Directory>& directory, const ApiKey*& key) const;
  void Work(const std::stop_token& stop);

  const GovernorOptions options_;
  const KeyHasher hasher_;
  std::mutex database_mutex_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<SliceSource> slices_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<audit::Trail> trail_;

  RunningCalls running_calls_;

  mutable std::mutex directory_mutex_;
  std::shared_ptr<const Directory> directory_;
  std::function<void(const Directory&)> on_round_;  // under directory_mutex_
  std::atomic<int64_t> told_generation_{-1};        // of the last round that called it
  std::atomic<int64_t> last_answer_{0};  // steady microseconds: when the store last answered

  // Under database_mutex_:
  int64_t last_batch_ = 0;
  int64_t last_act_ = 0;      // in the audit log
  std::vector<Slot*> batch_;  // taken, and perhaps written

  std::jthread thread_;  // the last member: it uses all others
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_GOVERNOR_H_
