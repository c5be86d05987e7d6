// Who runs, and what the next step computes of each.
//
// There are no phases: a step is {sequence: tokens}. Every decoding sequence advances by its one
// token; what is left of the budget goes to prompts in order of rank, in chunks, those that wait
// among them while pages and slots last. The first that does not fit holds back those behind it, so
// that small requests never starve a large one. Contract: a function of what was added, removed and
// computed; no clock, no threads, no model. Non-goals: computing, sampling, answers (stepper.h).
#ifndef JIKJI_ENGINE_SCHEDULER_H_
#define JIKJI_ENGINE_SCHEDULER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/page_allocator.h"
#include "engine/prompt_budget.h"
#include "engine/sequence.h"
#include "engine/wait_queue.h"

namespace jikji {

// What a step computes of one sequence: its next `tokens`.
struct StepPart {
  Sequence* sequence = nullptr;
  int32_t tokens = 0;
};

class Scheduler {
 public:
  // `options` must outlive this.
  Scheduler(const EngineOptions& options, int32_t pages,
            std::shared_ptr<const Tokenizer> tokenizer);

  void Add(const std::shared_ptr<ActiveRequest>& request) { waiting_.Add(request); }

  // Takes a request's choices out, wherever they are; those that never ran have no sequence.
  std::vector<WaitQueue::Entry> Remove(const std::string& id);
  // Takes one that ended out.
  void Remove(const Sequence& sequence);
  // Takes out all that run, after a step that failed: what their pages hold is not known. Where
  // the step could not even be planned, the first that waits goes too, lest it fail for ever.
  std::vector<WaitQueue::Entry> RemoveRunning(bool first_waiting);

  // The next step, admissions included. Every part of it is computed before the next call; a page
  // that one fills may be read by another.
  const std::vector<StepPart>& Plan();

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

  // Starts the first that waits, at `place` of the running; false where it does not fit.
  bool Admit(size_t place);
  void Give(Running& running, int32_t tokens);

  const EngineOptions& options_;
  const std::shared_ptr<const Tokenizer> tokenizer_;
  PageAllocator pages_;
  WaitQueue waiting_;
  std::vector<Running> running_;  // in order of rank
  std::vector<StepPart> parts_;
  int64_t prefix_queries_ = 0, prefix_hits_ = 0;  // tokens
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_SCHEDULER_H_
