#include "engine/stepper.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace jikji {
namespace {

// Rows of prompt logits in one step: at a vocabulary of 150,000 they are 37 MiB.
constexpr int32_t kScoredTokens = 64;
// Below this many logits a step samples on its own thread: handing work over costs microseconds.
constexpr size_t kSerialLogits = 32768;

}  // namespace

Stepper::Stepper(Model& model, const EngineOptions& options, KvCache cache)
    : model_(model),
      options_(options),
      cache_(std::move(cache)),
      pool_(options.threads),
      pages_(cache_.pages()) {}

EngineStats Stepper::stats() const {
  EngineStats stats = stats_;
  stats.waiting = waiting_.choices();
  stats.running = static_cast<int64_t>(running_.size());
  stats.pages_used = pages_.used();
  stats.pages_total = pages_.total();
  return stats;
}

bool Stepper::Emit(Emission emission) {
  const bool last = emission.delta.finish.has_value();
  if (last) --emission.request->unfinished;
  emissions_.push_back(std::move(emission));
  return last;
}

void Stepper::Cancel(const std::string& id) {
  const auto now = Clock::now();
  std::erase_if(running_, [&](const auto& sequence) {
    return sequence->request()->request.id == id &&
           Emit(sequence->End(FinishReason::kCancelled, std::nullopt, now));
  });
  const auto request = waiting_.Remove(id);
  if (!request) return;
  while (request->unstarted > 0) {
    const int32_t choice = request->request.choices - request->unstarted--;
    Emit(EndUnstarted(request, choice, FinishReason::kCancelled, now));
  }
}

void Stepper::CancelAll() {
  while (!running_.empty()) Cancel(running_.front()->request()->request.id);
  while (!waiting_.empty()) Cancel(waiting_.FirstId());
}

// Nothing below throws on input; what may come is a lack of memory. It costs the running sequences,
// not the engine.
void Stepper::Prepare() {
  try {
    PlanBatch();
  } catch (const std::exception& error) {
    FailRunning(error.what());
  }
}

int64_t Stepper::Compute() {
  if (tokens_.empty()) return 0;
  try {
    const std::span<float> logits(logits_.data(), jobs_.size() * Vocab());
    model_.decoder->Forward({.tokens = tokens_, .slices = slices_, .logit_rows = logit_rows_},
                            cache_, logits, pool_);
    RunJobs();
    Commit();
  } catch (const std::exception& error) {
    FailRunning(error.what());
    return 0;
  }
  ++stats_.steps;
  const auto count = static_cast<int64_t>(tokens_.size());
  tokens_.clear();
  return count;
}

void Stepper::PlanBatch() {
  std::vector<RunningState> running;
  running.reserve(running_.size());
  for (const auto& sequence : running_) running.push_back(sequence->state());
  const int32_t free_slots = options_.max_running - static_cast<int32_t>(running_.size());
  const auto waiting = waiting_.Head(free_slots, options_.page_tokens);
  plan_ = PlanStep(running, waiting,
                   {.tokens = options_.step_tokens,
                    .scored_tokens = kScoredTokens,
                    .free_pages = pages_.free(),
                    .free_slots = free_slots},
                   options_.chunk_override);
  Admit(plan_.admitted);
  BuildBatch();
}

void Stepper::Admit(int32_t count) {
  for (; count > 0; --count) {
    auto [request, choice] = waiting_.Pop();
    try {
      auto pages = pages_.Take(PagesOf(request->request, options_.page_tokens));
      running_.push_back(std::make_unique<Sequence>(request, choice, std::move(*pages),
                                                    model_.description.tokenizer));
    } catch (const std::bad_alloc&) {
      Emit(EndUnstarted(request, choice, FinishReason::kError, Clock::now()));
      throw;
    }
  }
}

void Stepper::BuildBatch() {
  const std::vector<int32_t>& tokens = plan_.tokens;
  tokens_.clear();
  slices_.clear();
  logit_rows_.clear();
  jobs_.clear();
  for (size_t i = 0; i < running_.size(); ++i) {
    if (tokens[i] == 0) continue;
    Sequence& sequence = *running_[i];
    const auto first_row = static_cast<int32_t>(tokens_.size());
    const int64_t start = sequence.computed();
    sequence.AppendTokens(tokens[i], tokens_);
    slices_.push_back({.first_row = first_row,
                       .tokens = tokens[i],
                       .start = static_cast<int32_t>(start),
                       .pages = sequence.pages()});
    const auto scored = static_cast<int32_t>(
        sequence.scored() ? std::min<int64_t>(tokens[i], sequence.prompt_left() - 1) : 0);
    for (int32_t row = 0; row < scored; ++row) {
      logit_rows_.push_back(first_row + row);
      jobs_.emplace_back(&sequence, start + row + 1);
    }
    if (sequence.SamplesAt(start + tokens[i])) {
      logit_rows_.push_back(first_row + tokens[i] - 1);
      jobs_.emplace_back(&sequence, kSample);
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
    job.sampled = Fail(ErrorCode::kInternal, std::string("sampling failed: ") + error.what());
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
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    if (sequence.prompt_left() > 0) stats_.prompt_tokens += plan_.tokens[i];
    sequence.Advance(plan_.tokens[i]);
    bool over = CommitJobs(sequence, job, now);
    if (!over && sequence.PromptOnlyDone()) {
      over = Emit(sequence.End(FinishReason::kLength, std::nullopt, now));
    }
    if (over) running_[i].reset();
  }
  std::erase(running_, nullptr);
}

void Stepper::FailRunning(const std::string& why) {
  const auto now = Clock::now();
  for (const auto& sequence : running_) {
    if (!sequence) continue;
    Emit(sequence->End(FinishReason::kError,
                       Fail(ErrorCode::kInternal, "a step failed: " + why).error(), now));
  }
  running_.clear();
  tokens_.clear();
}

}  // namespace jikji
