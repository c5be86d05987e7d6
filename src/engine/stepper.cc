#include "engine/stepper.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace jikji {
namespace {

// Below this many logits a step samples on its own thread: handing work over costs microseconds.
constexpr size_t kSerialLogits = 32768;

}  // namespace

Stepper::Stepper(Model& model, const EngineOptions& options, KvCache cache)
    : model_(model),
      options_(options),
      cache_(std::move(cache)),
      pool_(options.threads),
      scheduler_(options_, cache_.pages(), model_.description.tokenizer) {}

EngineStats Stepper::stats() const {
  EngineStats stats = stats_;
  scheduler_.Count(stats);
  return stats;
}

bool Stepper::Emit(Emission emission) {
  const bool last = emission.delta.finish.has_value();
  if (last) --emission.request->unfinished;
  emissions_.push_back(std::move(emission));
  return last;
}

void Stepper::End(std::vector<WaitQueue::Entry> choices, FinishReason reason,
                  const std::optional<Error>& error) {
  const auto now = Clock::now();
  for (const auto& [request, choice, sequence] : choices) {
    Emit(sequence ? sequence->End(reason, error, now)
                  : EndUnstarted(request, choice, reason, error, now));
  }
}

void Stepper::Cancel(const std::string& id) {
  End(scheduler_.Remove(id), FinishReason::kCancelled, std::nullopt);
}

void Stepper::CancelAll() {
  while (busy()) Cancel(std::string(scheduler_.AnyId()));
}

// Nothing below throws on input; what may come is a lack of memory. It costs the running sequences,
// not the engine.
void Stepper::Fail(bool planning, const std::string& why) {
  parts_.clear();
  End(scheduler_.RemoveRunning(planning), FinishReason::kError,
      jikji::Fail(ErrorCode::kInternal, "a step failed: " + why).error());
}

void Stepper::Prepare() {
  try {
    parts_ = scheduler_.Plan();
    BuildBatch();
  } catch (const std::exception& error) {
    Fail(/*planning=*/true, error.what());
  }
}

int64_t Stepper::Compute() {
  if (parts_.empty()) return 0;
  try {
    const std::span<float> logits(logits_.data(), jobs_.size() * Vocab());
    model_.decoder->Forward({.tokens = tokens_, .slices = slices_, .logit_rows = logit_rows_},
                            cache_, logits, pool_);
    RunJobs();
    Commit();
  } catch (const std::exception& error) {
    Fail(/*planning=*/false, error.what());
    return 0;
  }
  ++stats_.steps;
  return static_cast<int64_t>(tokens_.size());
}

void Stepper::BuildBatch() {
  tokens_.clear();
  slices_.clear();
  logit_rows_.clear();
  jobs_.clear();
  for (const auto& [sequence, tokens] : parts_) {
    const auto first_row = static_cast<int32_t>(tokens_.size());
    const int64_t start = sequence->computed();
    const auto next = sequence->tokens().subspan(static_cast<size_t>(start));
    tokens_.insert(tokens_.end(), next.begin(), next.begin() + tokens);
    slices_.push_back({.first_row = first_row,
                       .tokens = tokens,
                       .start = static_cast<int32_t>(start),
                       .pages = sequence->pages().pages()});
    for (int32_t row = 0; row < tokens; ++row) {
      const bool scores = sequence->ScoresAt(start + row + 1);
      if (!scores && !sequence->SamplesAt(start + row + 1)) continue;
      logit_rows_.push_back(first_row + row);
      jobs_.emplace_back(sequence, scores ? start + row + 1 : kSample);
    }
  }
  if (logits_.size() < jobs_.size() * Vocab()) logits_.resize(jobs_.size() * Vocab());
  if (scratch_.size() < jobs_.size()) scratch_.resize(jobs_.size());
}

void Stepper::RunJobs() {
  if (jobs_.size() == 1 || jobs_.size() * Vocab() <= kSerialLogits) {
    for (size_t job = 0; job < jobs_.size(); ++job) RunJob(job);
    return;
  }
  pool_.ParallelFor(jobs_.size(), 1, [&](size_t begin, size_t end) {
    for (size_t job = begin; job < end; ++job) RunJob(job);
  });
}

void Stepper::RunJob(size_t index) {
  Job& job = jobs_[index];
  const std::span<float> logits(logits_.data() + index * Vocab(), Vocab());
  // On a pool's thread an exception would end the program.
  try {
    if (job.scored == kSample) {
      job.sampled = job.sequence->Sample(logits, scratch_[index]);
    } else if (auto score = job.sequence->Score(job.scored, logits, scratch_[index])) {
      job.score = std::move(*score);
    } else {
      job.sampled = std::unexpected(std::move(score.error()));
    }
  } catch (const std::exception& error) {
    job.sampled =
        jikji::Fail(ErrorCode::kInternal, std::string("sampling failed: ") + error.what());
  }
}

bool Stepper::CommitJobs(Sequence& sequence, size_t& job, Clock::time_point now) {
  bool over = false;
  for (; job < jobs_.size() && jobs_[job].sequence == &sequence; ++job) {
    Job& done = jobs_[job];
    if (over) continue;
    if (!done.sampled) {
      over = Emit(sequence.End(FinishReason::kError, std::move(done.sampled.error()), now));
    } else if (done.scored != kSample) {
      sequence.TakeScore(std::move(done.score));
    } else {
      ++stats_.generation_tokens;
      over = Emit(sequence.Take(std::move(*done.sampled), now));
    }
  }
  return over;
}

void Stepper::Commit() {
  const auto now = Clock::now();
  size_t job = 0;
  for (const auto& [sequence, tokens] : parts_) {
    stats_.prompt_tokens += sequence->Advance(tokens);
    bool over = CommitJobs(*sequence, job, now);
    if (!over && sequence->PromptOnlyDone()) {
      over = Emit(sequence->End(FinishReason::kLength, std::nullopt, now));
    }
    if (over) scheduler_.Remove(*sequence);
  }
}

}  // namespace jikji
