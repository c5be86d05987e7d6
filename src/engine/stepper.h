// One step after another: what the scheduler says is computed, sampled, answered.
//
// Contract: a choice's results depend on its own request alone (promise 1); an error in one ends
// that one; all pages are free when no sequence runs. One thread calls it; what it has to say waits
// in TakeEmissions, so that nothing foreign runs while state is half changed.
#ifndef JIKJI_ENGINE_STEPPER_H_
#define JIKJI_ENGINE_STEPPER_H_

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

  bool busy() const { return !scheduler_.idle(); }
  size_t waiting_requests() const { return scheduler_.waiting_requests(); }

  // A step has two halves: Prepare says what it will be and admits who is new; Compute does it, and
  // returns how many tokens it took. No Add or Cancel comes between.
  void Prepare();
  int64_t Compute();

  // Why no step can be computed any more, once the decoder's device is lost: requests end with it.
  const std::optional<Error>& lost() const { return lost_; }

  std::vector<Emission> TakeEmissions() { return std::exchange(emissions_, {}); }
  EngineStats stats() const;

 private:
  static constexpr int64_t kSample = -1;
  // Rows of logits, and what they are for: one to score a token of a prompt, or one to sample a
  // token and behind it one for each draft.
  struct Job {
    Sequence* sequence = nullptr;
    int64_t scored = kSample;  // position of the prompt token to score
    size_t first_row = 0;      // of the step's logits
    int32_t drafts = 0;
    // The tokens, as far as each but the last equals its draft; or what was wrong, as the last.
    std::vector<Result<SampledToken>> sampled = {};
    TokenLogprob score = {};
  };
  using Clock = std::chrono::steady_clock;

  size_t Stride() const { return static_cast<size_t>(model_.decoder->logit_stride()); }
  void BuildBatch();
  void DescribeChoices();
  void RunJobs();
  void RunJob(Job& job, SamplerScratch& scratch);
  // Tokens that the sequence's adapter knows.
  int64_t VocabOf(const Sequence& sequence) const {
    return model_.description.Of(sequence.request()->request.adapter).spec.vocab;
  }
  std::span<float> LogitsOf(const Sequence& sequence, size_t row) {
    return {logits_.data() + row * Stride(), static_cast<size_t>(VocabOf(sequence))};
  }
  // The next token from a row of the step: the decoder's choice, or sampled from its logits.
  Result<SampledToken> TokenOf(Sequence& sequence, size_t row, SamplerScratch& scratch);
  void Commit();
  void Learn(Clock::duration took);
  bool CommitJobs(Sequence& sequence, size_t& job, Clock::time_point now);
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

  // The step's batch; the vectors are kept for their memory.
  std::vector<StepPart> parts_;
  int32_t streams_ = 0;  // of the parts, those that decode
  std::vector<TokenId> tokens_;
  std::vector<kernels::AttentionSlice> slices_;
  std::vector<int32_t> slice_adapters_;
  std::vector<int32_t> logit_rows_;
  std::vector<Job> jobs_;
  std::vector<float> logits_;
  // One for each row of logits, where the decoder chooses.
  std::vector<RowChoice> choices_;
  std::vector<std::vector<kernels::LogitAdjustment>> adjustments_;
  std::vector<SamplerScratch> scratch_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_STEPPER_H_
