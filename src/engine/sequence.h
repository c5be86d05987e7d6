// A request inside the engine, and one running choice of it.
//
// A Sequence knows what its next tokens are, what a sampled token does to it and when it is over.
// It knows nothing of other sequences, of threads or of the sink.
#ifndef JIKJI_ENGINE_SEQUENCE_H_
#define JIKJI_ENGINE_SEQUENCE_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/page_allocator.h"
#include "engine/request.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "engine/text_assembler.h"
#include "engine/ticket.h"

namespace jikji {

struct ActiveRequest {
  ActiveRequest(Ticket its_ticket, GenerationRequest its_request, DeltaSink its_sink);

  const Ticket ticket;
  const GenerationRequest request;
  const DeltaSink sink;
  const std::shared_ptr<const StopStrings> stops;
  const std::chrono::steady_clock::time_point arrived;

  // The engine thread's own:
  int32_t unstarted;   // choices that wait
  int32_t unfinished;  // choices that have not ended
  bool deaf = false;   // the sink threw: it hears no more
};

// A delta on its way to its sink, and what metrics want to know of it.
struct Emission {
  std::shared_ptr<ActiveRequest> request;
  Delta delta;
  std::optional<RequestTimes> times;  // with the last delta of a choice
  std::optional<double> first_token;  // seconds since arrival
  std::optional<double> inter_token;  // seconds since the token before
};

class Sequence {
 public:
  Sequence(std::shared_ptr<ActiveRequest> request, int32_t choice, PageLease pages,
           std::shared_ptr<const Tokenizer> tokenizer);

  const std::shared_ptr<ActiveRequest>& request() const { return request_; }
  std::span<const int32_t> pages() const { return pages_.pages(); }

  RunningState state() const { return {prompt_left(), scored_}; }
  // Tokens whose keys and values are in the cache: the position of the next one.
  int64_t computed() const { return computed_; }
  int64_t prompt_left() const { return std::max<int64_t>(0, prompt_size() - computed_); }
  bool scored() const { return scored_; }
  // True where a step that ends at `position` gives the logits of a new token.
  bool SamplesAt(int64_t position) const;
  // A step without sampling has ended the prompt of a request for no tokens.
  bool PromptOnlyDone() const;

  // Appends the next `count` tokens to compute.
  void AppendTokens(int32_t count, std::vector<TokenId>& out) const;

  // The logprob of the prompt's token at `position`, from the logits of the one before it. Safe
  // beside other sequences' calls, as Sample is.
  Result<TokenLogprob> Score(int64_t position, std::span<const float> logits,
                             SamplerScratch& scratch) const;
  Result<SampledToken> Sample(std::span<float> logits, SamplerScratch& scratch) {
    return sampler_.Next(logits, scratch);
  }

  // The step's results: `count` tokens are in the cache; a prompt token was scored; a token was
  // sampled, or the choice is over.
  void Advance(int32_t count) { computed_ += count; }
  void TakeScore(TokenLogprob score) { prompt_logprobs_.push_back(std::move(score)); }
  Emission Take(SampledToken sampled, std::chrono::steady_clock::time_point now);
  Emission End(FinishReason reason, std::optional<Error> error,
               std::chrono::steady_clock::time_point now);

 private:
  int64_t prompt_size() const { return static_cast<int64_t>(request_->request.prompt.size()); }
  bool IsStop(TokenId token) const;
  Emission Begin();
  void Close(FinishReason reason, std::chrono::steady_clock::time_point now, Emission& emission);

  std::shared_ptr<ActiveRequest> request_;
  int32_t choice_;
  bool scored_;
  PageLease pages_;
  Sampler sampler_;
  TextAssembler text_;
  int64_t computed_ = 0;
  TokenId last_ = 0;
  std::vector<TokenLogprob> prompt_logprobs_;
  RequestTimes times_;
  std::chrono::steady_clock::time_point last_token_;
};

// The last word on a choice that never started.
Emission EndUnstarted(const std::shared_ptr<ActiveRequest>& request, int32_t choice,
                      FinishReason reason, std::chrono::steady_clock::time_point now);

}  // namespace jikji

#endif  // JIKJI_ENGINE_SEQUENCE_H_
