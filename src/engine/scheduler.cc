#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

namespace jikji {
namespace {

// Rows of prompt logits in one step: at a vocabulary of 150,000 they are 37 MiB.
constexpr int32_t kScoredTokens = 64;
// An output may be as long as the context and is mostly short. So a sequence is counted with pages
// for this many tokens more than it has, or its limit if that is nearer: a short limit is reserved
// exactly, and after a preemption the others come this far before the next.
constexpr int64_t kTokensAhead = 256;
// While the host ends a step and plans the next, a device that waits for it loses about so much of
// a step. Where a greater share of the streams has a draft that pays, waiting pays.
constexpr double kWaitingCost = 0.125;

}  // namespace

Scheduler::Scheduler(const EngineOptions& options, int32_t pages,
                     std::vector<std::shared_ptr<const Tokenizer>> tokenizers)
    : options_(options), tokenizers_(std::move(tokenizers)), pages_(pages, options.page_tokens) {}

void Scheduler::Add(const std::shared_ptr<ActiveRequest>& request) {
  request->tag = shares_.Arrive(request->ticket.tenant(), ExpectedCost(request->request));
  waiting_.Add(request);
}

void Scheduler::Leave(const ActiveRequest& request) {
  shares_.Leave(request.ticket.tenant(), request.tag, ExpectedCost(request.request),
                request.computed_prompt + kOutputTokenWeight * request.sampled);
}

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
  stats.preemptions = preemptions_;
}

int32_t Scheduler::decoding() const {
  return static_cast<int32_t>(std::ranges::count_if(
      running_, [](const Running& running) { return running.sequence->left() == 1; }));
}

const std::vector<StepPart>& Scheduler::Plan(const StepPrices& prices, bool ahead) {
  parts_.clear();
  ahead_ = ahead;
  must_preempt_ = false;
  if (ahead && DraftsPay(prices.row_share)) return parts_;
  const int32_t decoding = PlanDecoding();
  // Where decoding alone takes the budget, prompts still get one token.
  const int32_t left = std::max(1, options_.step_tokens - decoding);
  PromptBudget budget(decoding > 0 ? std::min(left, prices.prompt_tokens) : left, kScoredTokens,
                      options_.chunk_override);
  bool open = true;  // what waits may still start
  for (size_t i = 0; !budget.spent(); ++i) {
    if (open && !waiting_.empty() &&
        (i == running_.size() || waiting_.FirstRank() < running_[i].sequence->rank())) {
      open = Admit(i);
    }
    if (i == running_.size()) break;
    Running& running = running_[i];
    const Sequence& sequence = *running.sequence;
    if (running.tokens > 0 || sequence.left() == 0 || LacksPage(sequence)) continue;
    running.tokens = budget.Take(sequence.left(), sequence.unscored() - sequence.computed());
    Share(running);
  }
  int32_t spare = options_.step_tokens;
  for (Running& running : running_) {
    if (running.tokens == 0) continue;
    Share(running);  // those that decode: until here they could be preempted
    parts_.push_back({running.sequence.get(), running.tokens});
    spare -= running.tokens;
  }
  for (StepPart& part : parts_) {
    if (ahead || !part.decodes()) continue;
    part.drafts = Draft(*part.sequence, std::min(options_.speculate, spare), prices.row_share);
    spare -= part.drafts;
  }
  return parts_;
}

int32_t Scheduler::PlanDecoding() {
  int32_t decoding = 0;
  for (Running& running : running_) running.tokens = 0;
  for (size_t i = 0; i < running_.size(); ++i) {
    if (running_[i].sequence->left() != 1 || !Grow(i)) continue;
    running_[i].tokens = 1;
    ++decoding;
  }
  return decoding;
}

// A page for the next token, if need be at the cost of the last in rank; false where that is
// itself, or where none may be preempted.
bool Scheduler::Grow(size_t place) {
  Sequence& sequence = *running_[place].sequence;
  while (LacksPage(sequence)) {
    if (pages_.Extend(sequence.pages(), 1)) return true;
    if (ahead_) {
      must_preempt_ = true;
      return false;
    }
    const bool itself = place + 1 == running_.size();
    Preempt();
    if (itself) return false;
  }
  return true;
}

void Scheduler::Preempt() {
  running_.back().sequence->Suspend();
  waiting_.Return(running_.back().sequence);
  running_.pop_back();
  ++preemptions_;
}

// Of the streams, as far as they are known. What is guessed first is awaited already, so that the
// draft which pays comes a step later.
bool Scheduler::DraftsPay(double row_share) {
  if (options_.speculate == 0) return false;
  int32_t paying = 0;
  for (Running& running : running_) {
    Sequence& sequence = *running.sequence;
    if (sequence.left() != 1) continue;
    const auto most = std::min<int64_t>(options_.speculate, sequence.most_drafts());
    if (sequence.Guess(static_cast<int32_t>(most), row_share) > 0) ++paying;
  }
  return paying > kWaitingCost * decoding();
}

int32_t Scheduler::Draft(Sequence& sequence, int32_t most, double row_share) {
  // A draft needs a place in the pages, and none is computed for a token past the limit. It may
  // take a page, but not one that another could need in the next step.
  PageLease& pages = sequence.pages();
  const int64_t behind = sequence.computed() + 1;
  const auto places = [&] { return int64_t{pages.size()} * options_.page_tokens - behind; };
  if (places() < most && pages_.free() > static_cast<int32_t>(running_.size())) {
    const auto wanted =
        PagesFor(behind + std::min<int64_t>(most, sequence.most_drafts()), options_.page_tokens);
    pages_.Extend(pages, static_cast<int32_t>(std::max<int64_t>(0, wanted - pages.size())));
  }
  return sequence.Guess(
      static_cast<int32_t>(std::min<int64_t>({most, places(), sequence.most_drafts()})), row_share);
}

bool Scheduler::Admit(size_t place) {
  const WaitQueue::Entry& first = waiting_.First();
  const ActiveRequest& request = *first.request;
  const std::span<const TokenId> known =
      first.sequence ? first.sequence->tokens() : std::span(request.request.prompt);
  const auto size = static_cast<int64_t>(known.size());
  // Computed is what logits are wanted of: always the last token, and those before scored ones.
  const bool scored = first.choice == 0 && request.request.prompt_logprobs >= 0;
  const int64_t unscored = first.sequence ? first.sequence->unscored()
                           : scored       ? request.request.first_prompt_logprob - 1
                                          : size;
  const int64_t most = std::min(unscored, size - 1);
  const bool looks_up = options_.prefix_cache && most > 0;
  PageLease pages =
      pages_.Match(request.cache_root, known.first(looks_up ? static_cast<size_t>(most) : 0));
  const int64_t matched = int64_t{pages.size()} * options_.page_tokens;
  const int64_t whole = PagesFor(size, options_.page_tokens);
  const int64_t now = whole - pages.size();
  if (!MakeRoom(waiting_.FirstRank(), now, PagesAhead(whole, size, request.request))) {
    return false;
  }
  if (!pages_.Extend(pages, static_cast<int32_t>(now))) return false;
  running_.reserve(running_.size() + 1);
  const bool fresh = !first.sequence;
  const auto tokenizer = static_cast<size_t>(request.request.adapter - kBaseModel);
  auto sequence =
      fresh ? std::make_unique<Sequence>(first.request, first.choice, tokenizers_[tokenizer])
            : nullptr;
  if (fresh && looks_up) {
    prefix_queries_ += size;
    prefix_hits_ += matched;
  }
  WaitQueue::Entry entry = waiting_.Pop();
  if (!fresh) sequence = std::move(entry.sequence);
  sequence->Run(std::move(pages), matched);
  running_.insert(running_.begin() + static_cast<ptrdiff_t>(place), Running{std::move(sequence)});
  return true;
}

int64_t Scheduler::PagesAhead(int64_t held, int64_t known, const GenerationRequest& request) const {
  // The last token of an output is never computed.
  const int64_t most = static_cast<int64_t>(request.prompt.size()) + request.max_tokens - 1;
  return std::max<int64_t>(
      0, PagesFor(std::min(most, known + kTokensAhead), options_.page_tokens) - held);
}

bool Scheduler::MakeRoom(const Rank& rank, int64_t now, int64_t ahead) {
  const auto yields = [&](const Running& running) {
    const Rank other = running.sequence->rank();
    return std::pair(other.priority, other.tag) > std::pair(rank.priority, rank.tag);
  };
  const auto ahead_of = [&](Running& running) {
    Sequence& s = *running.sequence;
    return PagesAhead(s.pages().size(), static_cast<int64_t>(s.tokens().size()),
                      s.request()->request);
  };
  int64_t room = pages_.free();
  for (Running& running : running_) room -= ahead_of(running);
  size_t stay = running_.size();
  // One alone may always start: it need not leave room for others' growth.
  const auto fits = [&] {
    return stay == 0 || (stay < static_cast<size_t>(options_.max_running) && now + ahead <= room);
  };
  for (; !fits() && yields(running_[stay - 1]); --stay) {
    Running& last = running_[stay - 1];
    room += pages_.HeldAlone(last.sequence->pages()) + ahead_of(last);
  }
  if (!fits()) return false;
  if (ahead_ && stay < running_.size()) {
    must_preempt_ = true;
    return false;
  }
  while (running_.size() > stay) Preempt();
  return true;
}

void Scheduler::Share(Running& running) {
  if (!options_.prefix_cache) return;
  Sequence& sequence = *running.sequence;
  const auto known =
      std::min(static_cast<size_t>(sequence.computed() + running.tokens), sequence.tokens().size());
  pages_.Share(sequence.pages(), sequence.request()->cache_root, sequence.tokens().first(known),
               sequence.computed());
}

}  // namespace jikji
