// A request inside the engine, and one choice of it from its first step to its last.
//
// A Sequence knows what its next tokens are, what a sampled token does to it and when it is over.
// It stands where it will when all steps that are planned have ended: tokens that they choose are
// awaited, and the first of them is the next that is taken. It knows nothing of other sequences, of
// threads or of the sink.
#ifndef JIKJI_ENGINE_SEQUENCE_H_
#define JIKJI_ENGINE_SEQUENCE_H_

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/drafter.h"
#include "engine/engine.h"
#include "engine/page_allocator.h"
#include "engine/request.h"
#include "engine/sampler.h"
#include "engine/text_assembler.h"
#include "engine/ticket.h"

namespace jikji {

struct ActiveRequest {
  ActiveRequest(Ticket its_ticket, GenerationRequest its_request, DeltaSink its_sink);

  const Ticket ticket;
  const GenerationRequest request;
  const DeltaSink sink;
  const std::shared_ptr<const StopStrings> stops;
  // Of its adapter, tenant and salt: who may share its pages.
  const std::string cache_root;
  const std::chrono::steady_clock::time_point arrived;

  // The engine thread's own:
  uint64_t arrival = 0;  // its number among all requests
  int64_t tag = 0;       // of its tenant's turn (fair_share.h)
  int32_t unstarted;     // choices that never ran
  int32_t unfinished;    // choices that have not ended
  bool deaf = false;     // the sink threw: it hears no more
  // What it cost so far, over all choices: tokens of the prompt that were computed, and sampled.
  int64_t computed_prompt = 0, sampled = 0;
};

// A choice's place among all others: lower priority first, then the tenant whose turn it is, then
// first come first served.
struct Rank {
  int32_t priority = 0;
  int64_t tag = 0;
  uint64_t arrival = 0;
  int32_t choice = 0;

  auto operator<=>(const Rank&) const = default;
};

inline Rank RankOf(const ActiveRequest& request, int32_t choice) {
  return {request.ticket.priority(), request.tag, request.arrival, choice};
}

// A delta on its way to its sink, and what metrics want to know of it.
struct Emission {
  std::shared_ptr<ActiveRequest> request;
  Delta delta;
  bool started = true;                // false: the choice ended before it ran
  std::optional<RequestTimes> times;  // with the last delta of a choice
  std::optional<double> first_token;  // seconds since arrival
  std::optional<double> inter_token;  // seconds since the token before
};

class Sequence {
 public:
  Sequence(std::shared_ptr<ActiveRequest> request, int32_t choice,
           std::shared_ptr<const Tokenizer> tokenizer);

  const std::shared_ptr<ActiveRequest>& request() const { return request_; }
  Rank rank() const { return RankOf(*request_, choice_); }

  // Prompt and output so far, but for those awaited.
  std::span<const TokenId> tokens() const { return tokens_; }
  // Tokens whose keys and values are in the cache: the position of the next one.
  int64_t computed() const { return computed_; }
  // Tokens that are known or awaited, and to be computed. The last gives the next. None: its last
  // token is awaited, or the last logits of its prompt.
  int64_t left() const { return std::min(end(), prompt_size_ + most_computed_) - computed_; }
  // Tokens that steps under way choose; the last of them by that row of its step's logits.
  int32_t awaited() const { return awaited_; }
  int32_t awaited_row() const { return awaited_row_; }
  // Wants logits of prompt tokens that it has not had.
  bool scored() const { return next_score_ < prompt_size_ && scores_; }
  // Tokens from the first that need no logits of their own: all where no score is wanted.
  int64_t unscored() const { return scored() ? next_score_ - 1 : size(); }
  // True where the logits of the token before `position` are wanted for its score.
  bool ScoresAt(int64_t position) const {
    return scores_ && position >= next_score_ && position < prompt_size_;
  }
  // True where a step that ends at `position` gives the logits of a new token.
  bool SamplesAt(int64_t position) const {
    return request_->request.max_tokens > 0 && position == end();
  }
  // A step without sampling has ended the prompt of a request for no tokens.
  bool PromptOnlyDone() const { return request_->request.max_tokens == 0 && left() == 0; }

  // Begins to run with these pages; `matched` tokens are in them already.
  void Run(PageLease pages, int64_t matched);
  // Stops for a while: gives its pages back, and will compute its tokens again.
  void Suspend();
  PageLease& pages() { return pages_; }
  const PageLease& pages() const { return pages_; }

  // Guesses at the tokens behind the last, which is the next to be computed. Returns how many, at
  // most `most`, are worth a row of the step at this price (Drafter); they are the first of
  // guesses().
  int32_t Guess(int32_t most, double row_share) { return drafter_.Guess(tokens_, most, row_share); }
  std::span<const TokenId> guesses() const { return drafter_.guesses(); }
  // More would be beyond the output limit: its last token is sampled, and never computed.
  int64_t most_drafts() const { return request_->request.max_tokens - output() - 1; }

  // The logprob of the prompt's token at `position`, from the logits of the one before it. Safe
  // beside other sequences' calls, as Sample is.
  Result<TokenLogprob> Score(int64_t position, std::span<const float> logits,
                             SamplerScratch& scratch) const;
  Result<SampledToken> Sample(std::span<float> logits, SamplerScratch& scratch) {
    return sampler_.Next(logits, scratch);
  }
  // The same where the decoder chooses: what it is to choose by behind what is awaited and the
  // first `drafts` guesses, and what it chose (Sampler::Describe, Take).
  bool DescribeChoice(size_t drafts, int64_t vocab,
                      std::vector<kernels::LogitAdjustment>& adjustments, RowChoice& choice) const {
    return sampler_.Describe(awaited_, guesses().first(drafts), vocab, adjustments, choice);
  }
  bool needs_history() const { return sampler_.needs_history(); }
  Result<SampledToken> TakeChoice(const RowChoice& choice) { return sampler_.Take(choice); }
  // True where this token, when sampled, ends the choice.
  bool IsStop(TokenId token) const;

  // A step is planned that computes `count` tokens more, and one whose row of logits gives the next
  // token. Advance returns how many prompt tokens are read, those found in the cache included, and
  // each once.
  int64_t Advance(int32_t count);
  void Await(int32_t row) {
    ++awaited_;
    awaited_row_ = row;
  }
  // The results of steps, in order: a prompt token was scored; a token was sampled, the first of
  // those awaited if there are any, or the choice is over.
  void TakeScore(TokenLogprob score);
  Emission Take(SampledToken sampled, std::chrono::steady_clock::time_point now);
  Emission End(FinishReason reason, std::optional<Error> error,
               std::chrono::steady_clock::time_point now);

 private:
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  int64_t end() const { return size() + awaited_; }
  int64_t output() const { return size() - prompt_size_; }
  Emission Begin();
  void Close(FinishReason reason, std::chrono::steady_clock::time_point now, Emission& emission);

  std::shared_ptr<ActiveRequest> request_;
  int32_t choice_;
  int64_t prompt_size_;
  int64_t most_computed_;  // of the output: its last token is never computed
  bool scores_;            // the prompt
  std::vector<TokenId> tokens_;
  PageLease pages_;
  Drafter drafter_;
  Sampler sampler_;
  TextAssembler text_;
  int64_t computed_ = 0;
  int32_t awaited_ = 0, awaited_row_ = 0;
  int64_t prompt_read_ = 0;
  int64_t next_score_;             // position; the first token has no logits before it
  std::optional<int64_t> cached_;  // tokens found in the cache when it first ran
  std::vector<TokenLogprob> prompt_logprobs_;
  RequestTimes times_;
  std::chrono::steady_clock::time_point last_token_;
};

// The last word on a choice that never started.
Emission EndUnstarted(const std::shared_ptr<ActiveRequest>& request, int32_t choice,
                      FinishReason reason, std::optional<Error> error,
                      std::chrono::steady_clock::time_point now);

}  // namespace jikji

#endif  // JIKJI_ENGINE_SEQUENCE_H_
