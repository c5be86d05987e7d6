// What was admitted and what it used, in files that outlive the process.
//
// One slot of fixed size for each request, in segments mapped into memory: admission fills it, the
// engine's count goes on in it, settlement closes it. A store to the mapping is in the system's
// hands at once, so that SIGKILL at any instruction loses nothing and costs the hot path no system
// call; Sync makes it outlive a power failure too, for many requests at once (group commit). A slot
// never straddles a sector and carries digests, so that a torn one is recognised.
//
// Settled slots are written into the store in numbered batches: a slot is marked with its batch
// before, and done after. On replay, the store's number of the last batch tells whether a marked
// slot is in it: each is applied exactly once. A segment whose slots are all done is removed.
//
// After each Sync the first store to a page is a fault in which the file system is asked, which may
// wait for its own journal. So the many stores of a batch (Mark, Close) and those that fault pages
// in ahead of need (Touch) are made by the one thread that writes batches, outside of the lock.
//
// Contract: Allocate, Settle and the others are called under the ledger's lock, but for
// Slot::Count, Sync and those three. One process has a journal at a time. Non-goals: concurrency
// within.
#ifndef JIKJI_GOVERN_LEDGER_JOURNAL_H_
#define JIKJI_GOVERN_LEDGER_JOURNAL_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "govern/ledger/money.h"

namespace jikji {

enum class SlotState : uint32_t { kFree = 0, kReserved = 1, kSettled = 2, kDone = 3 };

// What admission writes down.
struct Admission {
  int64_t ticket = 0;  // grows; never the same twice in one journal
  int64_t organisation = 0, project = 0, key = 0;
  int64_t admitted_at = 0;  // seconds since 1970 UTC
  int64_t prompt_tokens = 0, max_output_tokens = 0;
  Prices prices;
  char currency[8] = {};
  char model[96] = {};
};

struct alignas(256) Slot {
  std::atomic<uint32_t> state{0};
  uint32_t index = 0;  // in its segment
  std::atomic<int64_t> batch{0};
  // The engine's count so far.
  std::atomic<int64_t> input{0}, cached{0}, output{0};
  Admission admission;
  uint64_t digest = 0;  // of the admission

  SlotState State() const { return static_cast<SlotState>(state.load(std::memory_order_acquire)); }
  Tokens Used() const {
    return {input.load(std::memory_order_relaxed), cached.load(std::memory_order_relaxed),
            output.load(std::memory_order_relaxed)};
  }
};
static_assert(sizeof(Slot) == 256);
static_assert(std::atomic<int64_t>::is_always_lock_free);

struct JournalOptions {
  std::filesystem::path folder;
  uint32_t segment_slots = 16'383;  // with the header, 4 MiB
  // Past it nothing is admitted: the store has been away for too long.
  size_t max_segments = 256;  // four million requests, 1 GiB
};

class Journal {
 public:
  // Makes the folder where it is absent, takes it for this process, and maps what is there.
  static Result<std::unique_ptr<Journal>> Open(JournalOptions options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // A name that this journal keeps for good, by which the store knows it.
  const std::string& server() const { return server_; }

  // Writes a slot; valid until it is done. kUnavailable: the disk or the journal is full.
  Result<Slot*> Allocate(Admission admission);
  // The request is over: its count is final.
  void Settle(Slot& slot);

  // Slots that were settled and taken by no batch yet, up to `most`; to be marked. The first call
  // after a Replay gives, alone, those that the last process had marked and may have written.
  std::vector<Slot*> TakeBatch(size_t most);
  static void Mark(const std::vector<Slot*>& slots, int64_t batch);
  // They are in the store: each is closed, and after that the batch is finished, which removes
  // segments that have become empty.
  static void Close(const std::vector<Slot*>& slots);
  void FinishBatch(const std::vector<Slot*>& slots);

  // At start, before the first Allocate: settles what the last process left, with what had been
  // counted, and closes slots of batches up to `last_batch`. How many requests were cut off.
  size_t Replay(int64_t last_batch);

  // To the disk. Safe beside all others.
  Result<> Sync();

  // Makes the next segment ahead of need, so that Allocate seldom has to.
  Result<> Prepare();

  // Slots that are likely to be allocated before long: twice as many as since the last call.
  class Ahead;
  Ahead NextSlots();
  // Faults their pages in.
  static void Touch(const Ahead& ahead);

  size_t unfinished() const { return unfinished_; }   // slots that are reserved or settled
  size_t settled() const { return settled_.size(); }  // that TakeBatch may give
  size_t damaged() const { return damaged_; }         // torn slots found at Open, left out

 private:
  struct Segment;
  explicit Journal(JournalOptions options) : options_(std::move(options)) {}
  Result<> Lock();
  Result<> ReadServer();
  Result<> MapAll();
  Result<std::shared_ptr<Segment>> Make();
  void RemoveEmpty();

  const JournalOptions options_;
  int lock_ = -1;
  std::string server_;
  std::deque<std::shared_ptr<Segment>> segments_;  // oldest first; the last is written to
  std::shared_ptr<Segment> next_;
  uint64_t next_number_ = 1;
  int64_t next_ticket_ = 1;
  std::deque<Slot*> settled_;
  std::vector<Slot*> doubtful_;  // marked by the last process
  size_t unfinished_ = 0;
  size_t damaged_ = 0;
  struct SyncState;
  std::shared_ptr<SyncState> sync_;
  uint64_t seen_tickets_ = 0;  // of the last NextSlots
};

class Journal::Ahead {
 private:
  friend class Journal;
  std::shared_ptr<Segment> segment_;
  size_t from_ = 0, to_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_LEDGER_JOURNAL_H_
