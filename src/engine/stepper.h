// One step after another: what the scheduler says is computed, sampled, answered.
//
// Where the decoder runs ahead, two steps are under way: the second is planned and submitted while
// the first is computed, and takes over on the device what the first chooses. Of a sequence that
// turns out to have ended it computes a token for nothing, which is thrown away; its pages are free
// at once, as whoever gets them writes to them behind that step. Contract: a choice's results
// depend on its own request alone (promise 1), whatever is planned ahead; an error in one ends that
// one; all pages are free when no sequence runs. One thread calls it; what it has to say waits in
// TakeEmissions, so that nothing foreign runs while state is half changed.
#ifndef JIKJI_ENGINE_STEPPER_H_
#define JIKJI_ENGINE_STEPPER_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "engine/engine.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "engine/step.h"
#include "engine/step_cost.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace jikji {

class Stepper {
 public:
  // `options` are resolved; `cache` is for its pages.
  Stepper(Model& model, const EngineOptions& options, KvCache cache);

  void Add(const std::shared_ptr<ActiveRequest>& request) { scheduler_.Add(request); }
  // Ends the request's choices; nothing happens where there is none.
  void Cancel(const std::string& id);
  void CancelAll();

  bool busy() const { return !scheduler_.idle() || under_way_ > 0; }
  size_t waiting_requests() const { return scheduler_.waiting_requests(); }

  // A step is planned by Prepare, which admits who is new; if one is under way, only where it can
  // be planned ahead. Compute submits it, and ends the first that is under way unless the next may
  // be planned before; it returns how many tokens that one took, or 0. No Add or Cancel comes
  // between.
  void Prepare();
  int64_t Compute();

  // Why no step can be computed any more, once the decoder's device is lost: requests end with it.
  const std::optional<Error>& lost() const { return lost_; }

  std::vector<Emission> TakeEmissions() { return std::exchange(emissions_, {}); }
  EngineStats stats() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Job = Step::Job;

  size_t Stride() const { return static_cast<size_t>(model_.decoder->logit_stride()); }
  // The step under way that was submitted `number` steps after the first; the one to be submitted.
  Step& UnderWay(size_t number) { return steps_[(first_ + number) % steps_.size()]; }
  bool MayPlanAhead();
  void Submit();
  int64_t FinishFirst();
  void RunJobs(Step& step);
  void RunJob(Step& step, Job& job, SamplerScratch& scratch);
  // Tokens that the sequence's adapter knows.
  int64_t VocabOf(const Sequence& sequence) const {
    return model_.description.Of(sequence.request()->request.adapter).spec.vocab;
  }
  std::span<float> LogitsOf(const Sequence& sequence, size_t row) {
    return {logits_.data() + row * Stride(), static_cast<size_t>(VocabOf(sequence))};
  }
  // The next token from a row of the step: the decoder's choice, or sampled from its logits.
  Result<SampledToken> TokenOf(Step& step, Sequence& sequence, size_t row, SamplerScratch& scratch);
  void Commit(Step& step);
  void Learn(const Step& step);
  bool CommitJob(Sequence& sequence, Job& job, Clock::time_point now);
  // A sequence is over: steps under way know it no more.
  void Forget(const Sequence& sequence);
  void End(std::vector<WaitQueue::Entry> choices, FinishReason reason,
           const std::optional<Error>& error);
  // A step could not be planned, or not be computed.
  void Fail(bool planning, const std::string& why);
  // The decoder refused the step. Where its device is lost, what waits is over too.
  void EndStep(const Error& error);
  // Notes an emission; true where it was the choice's last.
  bool Emit(Emission emission);

  Model& model_;
  const EngineOptions& options_;
  KvCache cache_;
  ThreadPool pool_;
  Scheduler scheduler_;
  StepCost cost_;
  std::vector<Emission> emissions_;
  EngineStats stats_;
  std::optional<Error> lost_;

  // In turn; under way are so many from the first, and behind them is the one that is planned.
  std::array<Step, 2> steps_;
  size_t first_ = 0, under_way_ = 0;
  bool planned_ = false;
  Clock::time_point last_end_;  // of a step
  // Of the last step that was submitted, where its logits are wanted.
  std::vector<float> logits_;
  std::vector<SamplerScratch> scratch_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_STEPPER_H_
