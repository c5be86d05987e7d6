#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

namespace jikji {
namespace {

// Rows of prompt logits in one step: at a vocabulary of 150,000 they are 37 MiB.
constexpr int32_t kScoredTokens = 64;

}  // namespace

Scheduler::Scheduler(const EngineOptions& options, int32_t pages,
                     std::shared_ptr<const Tokenizer> tokenizer)
    : options_(options), tokenizer_(std::move(tokenizer)), pages_(pages, options.page_tokens) {}

std::vector<WaitQueue::Entry> Scheduler::Remove(const std::string& id) {
  std::vector<WaitQueue::Entry> removed;
  for (Running& running : running_) {
    if (running.sequence->request()->request.id != id) continue;
    removed.push_back({running.sequence->request(), running.sequence->rank().choice,
                       std::move(running.sequence)});
  }
  std::erase_if(running_, [](const Running& running) { return !running.sequence; });
  for (auto& entry : waiting_.Remove(id)) removed.push_back(std::move(entry));
  return removed;
}

void Scheduler::Remove(const Sequence& sequence) {
  std::erase_if(running_,
                [&](const Running& running) { return running.sequence.get() == &sequence; });
}

std::vector<WaitQueue::Entry> Scheduler::RemoveRunning(bool first_waiting) {
  std::vector<WaitQueue::Entry> removed;
  for (Running& running : std::exchange(running_, {})) {
    removed.push_back({running.sequence->request(), running.sequence->rank().choice,
                       std::move(running.sequence)});
  }
  if (first_waiting && !waiting_.empty()) removed.push_back(waiting_.Pop());
  pages_.Forget();
  return removed;
}

const std::string& Scheduler::AnyId() const {
  const auto& request =
      running_.empty() ? waiting_.First().request : running_.front().sequence->request();
  return request->request.id;
}

void Scheduler::Count(EngineStats& stats) const {
  stats.waiting = waiting_.choices();
  stats.running = static_cast<int64_t>(running_.size());
  stats.pages_used = pages_.used();
  stats.pages_total = pages_.total();
  stats.prefix_queries = prefix_queries_;
  stats.prefix_hits = prefix_hits_;
}

const std::vector<StepPart>& Scheduler::Plan() {
  int32_t decoding = 0;
  for (Running& running : running_) {
    running.tokens = 0;
    if (running.sequence->left() > 1) continue;
    Give(running, 1);
    ++decoding;
  }
  // Where decoding alone takes the budget, prompts still get one token.
  PromptBudget budget(std::max(1, options_.step_tokens - decoding), kScoredTokens,
                      options_.chunk_override);
  bool open = true;  // what waits may still start
  for (size_t i = 0; !budget.spent(); ++i) {
    if (open && !waiting_.empty() &&
        (i == running_.size() || waiting_.FirstRank() < running_[i].sequence->rank())) {
      open = Admit(i);
    }
    if (i == running_.size()) break;
    Running& running = running_[i];
    if (running.tokens > 0) continue;
    Give(running, budget.Take(running.sequence->left(), running.sequence->scored()));
  }
  parts_.clear();
  for (const Running& running : running_) {
    if (running.tokens > 0) parts_.push_back({running.sequence.get(), running.tokens});
  }
  return parts_;
}

bool Scheduler::Admit(size_t place) {
  if (static_cast<int32_t>(running_.size()) >= options_.max_running) return false;
  const ActiveRequest& request = *waiting_.First().request;
  // The last token is always computed, since its logits are wanted; a prompt whose every logit is
  // wanted is computed whole.
  const bool scored = waiting_.First().choice == 0 && request.request.prompt_logprobs >= 0;
  const std::span<const TokenId> prompt = request.request.prompt;
  const bool looks_up = options_.prefix_cache && !scored;
  PageLease pages =
      pages_.Match(request.cache_root, prompt.first(looks_up ? prompt.size() - 1 : 0));
  const int64_t matched = int64_t{pages.size()} * options_.page_tokens;
  const int64_t whole = PagesFor(static_cast<int64_t>(prompt.size()) + request.request.max_tokens,
                                 options_.page_tokens);
  if (!pages_.Extend(pages, static_cast<int32_t>(whole) - pages.size())) return false;
  running_.reserve(running_.size() + 1);
  auto sequence =
      std::make_unique<Sequence>(waiting_.First().request, waiting_.First().choice, tokenizer_);
  sequence->Run(std::move(pages), matched);
  waiting_.Pop();
  running_.insert(running_.begin() + static_cast<ptrdiff_t>(place), Running{std::move(sequence)});
  if (looks_up) {
    prefix_queries_ += static_cast<int64_t>(prompt.size());
    prefix_hits_ += matched;
  }
  return true;
}

void Scheduler::Give(Running& running, int32_t tokens) {
  running.tokens = tokens;
  if (!options_.prefix_cache) return;
  Sequence& sequence = *running.sequence;
  const auto known = static_cast<size_t>(sequence.computed() + tokens);
  pages_.Share(sequence.pages(), sequence.request()->cache_root, sequence.tokens().first(known),
               sequence.computed());
}

}  // namespace jikji
