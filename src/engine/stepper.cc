#include "engine/stepper.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace jikji {
namespace {

// Below this many logits a step samples on its own thread: handing work over costs microseconds.
constexpr size_t kSerialLogits = 32768;

// The base's, then each adapter's.
std::vector<std::shared_ptr<const Tokenizer>> Tokenizers(const ModelDescription& model) {
  std::vector<std::shared_ptr<const Tokenizer>> out = {model.tokenizer};
  for (int32_t i = 0; std::cmp_less(i, model.adapters.size()); ++i) {
    out.push_back(model.Of(i).tokenizer);
  }
  return out;
}

}  // namespace

Stepper::Stepper(Model& model, const EngineOptions& options, KvCache cache)
    : model_(model),
      options_(options),
      cache_(std::move(cache)),
      pool_(options.threads),
      scheduler_(options_, cache_.pages(), Tokenizers(model_.description)),
      cost_(options_.prefill_slowdown) {}

EngineStats Stepper::stats() const {
  EngineStats stats = stats_;
  scheduler_.Count(stats);
  return stats;
}

bool Stepper::Emit(Emission emission) {
  const bool last = emission.delta.finish.has_value();
  if (last && --emission.request->unfinished == 0) scheduler_.Leave(*emission.request);
  emissions_.push_back(std::move(emission));
  return last;
}

void Stepper::End(std::vector<WaitQueue::Entry> choices, FinishReason reason,
                  const std::optional<Error>& error) {
  const auto now = Clock::now();
  for (const auto& [request, choice, sequence] : choices) {
    if (sequence) Forget(*sequence);
    Emit(sequence ? sequence->End(reason, error, now)
                  : EndUnstarted(request, choice, reason, error, now));
  }
}

void Stepper::Cancel(const std::string& id) {
  End(scheduler_.Remove(id), FinishReason::kCancelled, std::nullopt);
}

void Stepper::CancelAll() {
  while (!scheduler_.idle()) Cancel(std::string(scheduler_.AnyId()));
  while (under_way_ > 0) FinishFirst();
}

void Stepper::Forget(const Sequence& sequence) {
  for (Step& step : steps_) step.Forget(sequence);
}

// Nothing below throws on input; what may come is a lack of memory. It costs the running sequences,
// not the engine.
void Stepper::Fail(bool planning, const std::string& why) {
  End(scheduler_.RemoveRunning(planning), FinishReason::kError,
      jikji::Fail(ErrorCode::kInternal, "a step failed: " + why).error());
}

void Stepper::EndStep(const Error& error) {
  End(scheduler_.RemoveRunning(/*first_waiting=*/false), FinishReason::kError, error);
  if (error.code != ErrorCode::kUnavailable) return;
  lost_ = error;
  while (!scheduler_.idle()) {
    End(scheduler_.Remove(std::string(scheduler_.AnyId())), FinishReason::kError, error);
  }
}

bool Stepper::MayPlanAhead() {
  return model_.decoder->runs_ahead() && under_way_ == 1 && UnderWay(0).foreseeable() &&
         scheduler_.may_plan_ahead();
}

void Stepper::Prepare() {
  planned_ = false;
  const bool ahead = under_way_ > 0;
  if (ahead && !MayPlanAhead()) return;
  try {
    Step& step = UnderWay(under_way_);
    const int32_t streams = scheduler_.decoding();
    const auto& parts = scheduler_.Plan(
        {.prompt_tokens = cost_.PromptTokens(streams),
         .row_share = options_.row_share_override.value_or(cost_.RowShare(streams))},
        ahead);
    if (parts.empty()) return;
    step.ahead = ahead;
    step.Build(parts, model_.description, model_.decoder->chooses());
    planned_ = true;
  } catch (const std::exception& error) {
    Fail(/*planning=*/true, error.what());
  }
}

int64_t Stepper::Compute() {
  if (planned_) {
    Submit();
    if (MayPlanAhead()) return 0;
  }
  return under_way_ > 0 ? FinishFirst() : 0;
}

void Stepper::Submit() {
  planned_ = false;
  Step& step = UnderWay(under_way_);
  try {
    const size_t logits = step.logit_rows.size() * Stride();
    if (logits_.size() < logits) logits_.resize(logits);
    step.start = Clock::now();
    step.submitted =
        model_.decoder->Submit(step.batch(), cache_, std::span(logits_).first(logits), pool_);
  } catch (const std::exception& error) {
    Fail(/*planning=*/false, error.what());
    return;
  }
  ++under_way_;
  if (step.ahead) ++stats_.steps_ahead;
}

int64_t Stepper::FinishFirst() {
  Step& step = UnderWay(0);
  first_ = (first_ + 1) % steps_.size();
  --under_way_;
  try {
    const auto computed = step.submitted ? model_.decoder->Finish(step.choices) : step.submitted;
    if (!computed) {
      EndStep(computed.error());
      return 0;
    }
    RunJobs(step);
    Commit(step);
  } catch (const std::exception& error) {
    Fail(/*planning=*/false, error.what());
    return 0;
  }
  ++stats_.steps;
  Learn(step);
  return static_cast<int64_t>(step.tokens.size());
}

// What the step kept the decoder for: since it was submitted, or since the step before it ended.
void Stepper::Learn(const Step& step) {
  const auto begin = std::max(step.start, last_end_);
  last_end_ = Clock::now();
  cost_.Observe(step.streams, static_cast<int32_t>(step.tokens.size()) - step.streams,
                std::chrono::duration<double>(last_end_ - begin).count());
}

Result<SampledToken> Stepper::TokenOf(Step& step, Sequence& sequence, size_t row,
                                      SamplerScratch& scratch) {
  if (!step.choices.empty() && step.choices[row].outcome != RowChoice::Outcome::kLogits) {
    return sequence.TakeChoice(step.choices[row]);
  }
  return sequence.Sample(LogitsOf(sequence, row), scratch);
}

void Stepper::RunJobs(Step& step) {
  if (scratch_.size() < step.jobs.size()) scratch_.resize(step.jobs.size());
  const auto run = [&](size_t begin, size_t end) {
    for (size_t job = begin; job < end; ++job) RunJob(step, step.jobs[job], scratch_[job]);
  };
  if (step.jobs.size() == 1 || step.logit_rows.size() * Stride() <= kSerialLogits) {
    run(0, step.jobs.size());
  } else {
    pool_.ParallelFor(step.jobs.size(), 1, run);
  }
}

void Stepper::RunJob(Step& step, Job& job, SamplerScratch& scratch) {
  if (step.parts[job.part].sequence == nullptr) return;
  Sequence& sequence = *step.parts[job.part].sequence;
  // On a pool's thread an exception would end the program.
  try {
    if (job.scored != Step::kSample) {
      auto score = sequence.Score(job.scored, LogitsOf(sequence, job.first_row), scratch);
      if (!score) job.sampled.emplace_back(std::unexpected(std::move(score.error())));
      if (score) job.score = std::move(*score);
      return;
    }
    // A row's logits are of the draft before it; they count if that is what would have come.
    for (size_t i = 0;; ++i) {
      job.sampled.push_back(TokenOf(step, sequence, job.first_row + i, scratch));
      const auto& next = job.sampled.back();
      if (i == static_cast<size_t>(job.drafts) || !next || sequence.IsStop(next->token) ||
          next->token != sequence.guesses()[i]) {
        return;
      }
    }
  } catch (const std::exception& error) {
    job.sampled.emplace_back(
        jikji::Fail(ErrorCode::kInternal, std::string("sampling failed: ") + error.what()));
  }
}

// True where the choice is over.
bool Stepper::CommitJob(Sequence& sequence, Job& job, Clock::time_point now) {
  if (job.scored != Step::kSample && job.sampled.empty()) {
    sequence.TakeScore(std::move(job.score));
    return false;
  }
  stats_.draft_tokens += job.drafts;
  bool over = false;
  for (size_t i = 0; i < job.sampled.size() && !over; ++i) {
    if (i > 0) {
      // The draft before it was right: what was computed of it stands.
      sequence.Advance(1);
      ++stats_.accepted_tokens;
    }
    if (!job.sampled[i]) {
      over = Emit(sequence.End(FinishReason::kError, std::move(job.sampled[i].error()), now));
    } else {
      ++stats_.generation_tokens;
      ++sequence.request()->sampled;
      over = Emit(sequence.Take(std::move(*job.sampled[i]), now));
    }
  }
  return over;
}

void Stepper::Commit(Step& step) {
  const auto now = Clock::now();
  size_t job = 0;
  for (size_t i = 0; i < step.parts.size(); ++i) {
    const Step::Part& part = step.parts[i];
    bool over = false;
    if (part.sequence != nullptr) {
      stats_.prompt_tokens += part.prompt_read;
      part.sequence->request()->computed_prompt += std::min<int64_t>(part.prompt_read, part.tokens);
    }
    for (; job < step.jobs.size() && step.jobs[job].part == i; ++job) {
      if (part.sequence != nullptr && !over) over = CommitJob(*part.sequence, step.jobs[job], now);
    }
    if (part.sequence == nullptr) continue;
    if (!over && part.ends) {
      over = Emit(part.sequence->End(FinishReason::kLength, std::nullopt, now));
    }
    if (!over) continue;
    const Sequence& ended = *part.sequence;
    Forget(ended);
    scheduler_.Remove(ended);
  }
}

}  // namespace jikji
