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

void Stepper::EndStep(const Error& error) {
  parts_.clear();
  End(scheduler_.RemoveRunning(/*first_waiting=*/false), FinishReason::kError, error);
  if (error.code != ErrorCode::kUnavailable) return;
  lost_ = error;
  while (busy()) {
    End(scheduler_.Remove(std::string(scheduler_.AnyId())), FinishReason::kError, error);
  }
}

void Stepper::Prepare() {
  try {
    const int32_t streams = scheduler_.decoding();
    parts_ = scheduler_.Plan(
        {.prompt_tokens = cost_.PromptTokens(streams),
         .row_share = options_.row_share_override.value_or(cost_.RowShare(streams))});
    BuildBatch();
  } catch (const std::exception& error) {
    Fail(/*planning=*/true, error.what());
  }
}

int64_t Stepper::Compute() {
  if (parts_.empty()) return 0;
  const auto start = Clock::now();
  try {
    const std::span<float> logits(logits_.data(), logit_rows_.size() * Stride());
    const auto computed = model_.decoder->Forward({.tokens = tokens_,
                                                   .slices = slices_,
                                                   .logit_rows = logit_rows_,
                                                   .adapters = slice_adapters_,
                                                   .choices = choices_},
                                                  cache_, logits, pool_);
    if (!computed) {
      EndStep(computed.error());
      return 0;
    }
    RunJobs();
    Commit();
  } catch (const std::exception& error) {
    Fail(/*planning=*/false, error.what());
    return 0;
  }
  ++stats_.steps;
  Learn(Clock::now() - start);
  return static_cast<int64_t>(tokens_.size());
}

void Stepper::Learn(Clock::duration took) {
  cost_.Observe(streams_, static_cast<int32_t>(tokens_.size()) - streams_,
                std::chrono::duration<double>(took).count());
}

void Stepper::BuildBatch() {
  tokens_.clear();
  slices_.clear();
  slice_adapters_.clear();
  logit_rows_.clear();
  jobs_.clear();
  streams_ = static_cast<int32_t>(std::ranges::count_if(parts_, &StepPart::decodes));
  for (const auto& [sequence, tokens, drafts] : parts_) {
    const auto first_row = static_cast<int32_t>(tokens_.size());
    const int64_t start = sequence->computed();
    const auto next = sequence->tokens().subspan(static_cast<size_t>(start));
    const auto guesses = sequence->guesses();
    tokens_.insert(tokens_.end(), next.begin(), next.begin() + tokens);
    tokens_.insert(tokens_.end(), guesses.begin(), guesses.begin() + drafts);
    slices_.push_back({.first_row = first_row,
                       .tokens = tokens + drafts,
                       .start = static_cast<int32_t>(start),
                       .pages = sequence->pages().pages()});
    slice_adapters_.push_back(sequence->request()->request.adapter);
    for (int32_t row = 0; row < tokens; ++row) {
      const bool scores = sequence->ScoresAt(start + row + 1);
      if (!scores && !sequence->SamplesAt(start + row + 1)) continue;
      jobs_.push_back({.sequence = sequence,
                       .scored = scores ? start + row + 1 : kSample,
                       .first_row = logit_rows_.size(),
                       .drafts = scores ? 0 : drafts});
      for (int32_t i = 0; i <= jobs_.back().drafts; ++i) logit_rows_.push_back(first_row + row + i);
    }
  }
  if (logits_.size() < logit_rows_.size() * Stride()) logits_.resize(logit_rows_.size() * Stride());
  if (scratch_.size() < jobs_.size()) scratch_.resize(jobs_.size());
  if (model_.decoder->chooses()) DescribeChoices();
}

void Stepper::DescribeChoices() {
  choices_.assign(logit_rows_.size(), {});
  if (adjustments_.size() < choices_.size()) adjustments_.resize(choices_.size());
  for (const Job& job : jobs_) {
    if (job.scored != kSample) continue;
    for (size_t i = 0; i <= static_cast<size_t>(job.drafts); ++i) {
      const size_t row = job.first_row + i;
      job.sequence->DescribeChoice(i, VocabOf(*job.sequence), adjustments_[row], choices_[row]);
    }
  }
}

Result<SampledToken> Stepper::TokenOf(Sequence& sequence, size_t row, SamplerScratch& scratch) {
  if (!choices_.empty() && choices_[row].outcome != RowChoice::Outcome::kLogits) {
    return sequence.TakeChoice(choices_[row]);
  }
  return sequence.Sample(LogitsOf(sequence, row), scratch);
}

void Stepper::RunJobs() {
  if (jobs_.size() == 1 || logit_rows_.size() * Stride() <= kSerialLogits) {
    for (size_t job = 0; job < jobs_.size(); ++job) RunJob(jobs_[job], scratch_[job]);
    return;
  }
  pool_.ParallelFor(jobs_.size(), 1, [&](size_t begin, size_t end) {
    for (size_t job = begin; job < end; ++job) RunJob(jobs_[job], scratch_[job]);
  });
}

void Stepper::RunJob(Job& job, SamplerScratch& scratch) {
  Sequence& sequence = *job.sequence;
  // On a pool's thread an exception would end the program.
  try {
    if (job.scored != kSample) {
      auto score = sequence.Score(job.scored, LogitsOf(sequence, job.first_row), scratch);
      if (!score) job.sampled.emplace_back(std::unexpected(std::move(score.error())));
      if (score) job.score = std::move(*score);
      return;
    }
    // A row's logits are of the draft before it; they count if that is what would have come.
    for (size_t i = 0;; ++i) {
      job.sampled.push_back(TokenOf(sequence, job.first_row + i, scratch));
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

bool Stepper::CommitJobs(Sequence& sequence, size_t& job, Clock::time_point now) {
  bool over = false;
  for (; job < jobs_.size() && jobs_[job].sequence == &sequence; ++job) {
    Job& done = jobs_[job];
    if (over) continue;
    if (done.scored != kSample && done.sampled.empty()) {
      sequence.TakeScore(std::move(done.score));
      continue;
    }
    stats_.draft_tokens += done.drafts;
    for (size_t i = 0; i < done.sampled.size() && !over; ++i) {
      if (i > 0) {
        // The draft before it was right: what was computed of it stands.
        sequence.Advance(1);
        ++stats_.accepted_tokens;
      }
      if (!done.sampled[i]) {
        over = Emit(sequence.End(FinishReason::kError, std::move(done.sampled[i].error()), now));
      } else {
        ++stats_.generation_tokens;
        ++sequence.request()->sampled;
        over = Emit(sequence.Take(std::move(*done.sampled[i]), now));
      }
    }
  }
  return over;
}

void Stepper::Commit() {
  const auto now = Clock::now();
  size_t job = 0;
  for (const auto& [sequence, tokens, drafts] : parts_) {
    const int64_t read = sequence->Advance(tokens);
    stats_.prompt_tokens += read;
    sequence->request()->computed_prompt += std::min<int64_t>(read, tokens);
    bool over = CommitJobs(*sequence, job, now);
    if (!over && sequence->PromptOnlyDone()) {
      over = Emit(sequence->End(FinishReason::kLength, std::nullopt, now));
    }
    if (over) scheduler_.Remove(*sequence);
  }
}

}  // namespace jikji
