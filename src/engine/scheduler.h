// Who runs, and what the next step computes of each.
//
// There are no phases: a step is {sequence: tokens}. Every decoding sequence advances by its one
// token; what is left of the budget goes to prompts in order of rank, in chunks, those that wait
// among them while pages and slots last. The first that does not fit holds back those behind it, so
// that small requests never starve a large one.
//
// Pages are taken as sequences grow. Where one lacks a page, the last in rank is preempted: it
// gives its pages back, keeps its tokens, and waits at its rank to compute them again. So is one of
// lower priority, or of a tenant that is further ahead (fair_share.h), where one that waits would
// not fit otherwise. The first in rank always goes on, since any request fits the cache alone.
//
// A step may be planned ahead, while the one before it is computed: sequences stand where that one
// leaves them. Steps are computed in order, so that a page which is free by then may be used. But
// nothing is preempted and nothing drafted: what would need it waits until no step is under way.
// Contract: a function of what was added, removed and computed; no clock, no threads, no model.
// Non-goals: computing, sampling, answers (stepper.h).
#ifndef JIKJI_ENGINE_SCHEDULER_H_
#define JIKJI_ENGINE_SCHEDULER_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/fair_share.h"
#include "engine/page_allocator.h"
#include "engine/prompt_budget.h"
#include "engine/sequence.h"
#include "engine/wait_queue.h"

namespace jikji {

// What a step computes of one sequence: its next `tokens`, and behind them the first `drafts` of
// its guesses.
struct StepPart {
  Sequence* sequence = nullptr;
  int32_t tokens = 0;
  int32_t drafts = 0;

  // Until the sequence stands behind the step: it advances by the one token that it lacks. A
  // prompt's chunk of one token does not.
  bool decodes() const { return sequence->left() == 1; }
};

// What steps cost at this time (step_cost.h).
struct StepPrices {
  int32_t prompt_tokens = std::numeric_limits<int32_t>::max();  // at most, beside what decodes
  double row_share = 1;                                         // of a draft
};

class Scheduler {
 public:
  // `options` must outlive this. `tokenizers`: the base's, then each adapter's.
  Scheduler(const EngineOptions& options, int32_t pages,
            std::vector<std::shared_ptr<const Tokenizer>> tokenizers);

  void Add(const std::shared_ptr<ActiveRequest>& request);
  // Its last choice has ended: its tenant is charged with what it cost.
  void Leave(const ActiveRequest& request);

  // Takes a request's choices out, wherever they are; those that never ran have no sequence.
  std::vector<WaitQueue::Entry> Remove(const std::string& id);
  // Takes one that ended out.
  void Remove(const Sequence& sequence);
  // Takes out all that run, after a step that failed: what their pages hold is not known. Where
  // the step could not even be planned, the first that waits goes too, lest it fail for ever.
  std::vector<WaitQueue::Entry> RemoveRunning(bool first_waiting);

  // The next step, admissions included; a page that one part fills may be read by another. The
  // caller has every part's sequence Advance before the next call. `ahead`: a step is under way;
  // empty where drafts promise more than planning ahead does.
  const std::vector<StepPart>& Plan(const StepPrices& prices, bool ahead = false);
  // False where the next step is to preempt.
  bool may_plan_ahead() const { return !must_preempt_; }

  // Sequences that advance by one token in the next step, if pages allow.
  int32_t decoding() const;

  bool idle() const { return running_.empty() && waiting_.empty(); }
  // The id of any request that is here; there must be one.
  const std::string& AnyId() const;
  size_t waiting_requests() const { return waiting_.requests(); }
  // Fills in the counts of what is here.
  void Count(EngineStats& stats) const;

 private:
  struct Running {
    std::unique_ptr<Sequence> sequence;
    int32_t tokens = 0;  // of the step under way
  };

  // Marks those that decode, with a page for their next token; returns how many.
  int32_t PlanDecoding();
  bool Grow(size_t place);
  bool LacksPage(const Sequence& sequence) const {
    return int64_t{sequence.pages().size()} * options_.page_tokens <= sequence.computed();
  }
  bool DraftsPay(double row_share);
  // Starts the first that waits, at `place` of the running; false where it does not fit.
  bool Admit(size_t place);
  // Slots and pages for one more of `rank`: `now` of them at once, `ahead` soon.
  bool MakeRoom(const Rank& rank, int64_t now, int64_t ahead);
  int64_t PagesAhead(int64_t held, int64_t known, const GenerationRequest& request) const;
  void Preempt();
  // Drafts behind a decoding sequence's token, at most `most`.
  int32_t Draft(Sequence& sequence, int32_t most, double row_share);
  // Lets others find what the sequence will hold when the step has ended.
  void Share(Running& running);

  const EngineOptions& options_;
  const std::vector<std::shared_ptr<const Tokenizer>> tokenizers_;
  PageAllocator pages_;
  FairShare shares_;
  WaitQueue waiting_;
  std::vector<Running> running_;  // in order of rank
  std::vector<StepPart> parts_;
  bool ahead_ = false;                            // a step is being planned ahead
  bool must_preempt_ = false;                     // a step that was planned ahead lacked room
  int64_t prefix_queries_ = 0, prefix_hits_ = 0;  // tokens
  int64_t preemptions_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_SCHEDULER_H_
