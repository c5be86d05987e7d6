#include "engine/sequence.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/logprobs.h"

namespace jikji {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

ActiveRequest::ActiveRequest(Ticket its_ticket, GenerationRequest its_request, DeltaSink its_sink)
    : ticket(std::move(its_ticket)),
      request(std::move(its_request)),
      sink(std::move(its_sink)),
      stops(std::make_shared<const StopStrings>(request.stop)),
      // What pages hold depends on the adapter. The length says where the tenant ends, whatever
      // bytes a salt has.
      cache_root(fmt::format("{}:{}:{}{}", request.adapter, ticket.tenant().size(), ticket.tenant(),
                             ticket.cache_salt())),
      arrived(Clock::now()),
      unstarted(request.choices),
      unfinished(request.choices) {}

Sequence::Sequence(std::shared_ptr<ActiveRequest> request, int32_t choice,
                   std::shared_ptr<const Tokenizer> tokenizer)
    : request_(std::move(request)),
      choice_(choice),
      prompt_size_(static_cast<int64_t>(request_->request.prompt.size())),
      most_computed_(std::max<int64_t>(0, request_->request.max_tokens - 1)),
      scores_(choice == 0 && request_->request.prompt_logprobs >= 0),
      tokens_(request_->request.prompt),
      sampler_(request_->request, choice),
      text_(request_->request, request_->stops, std::move(tokenizer)),
      next_score_(request_->request.first_prompt_logprob) {
  times_.arrived = request_->arrived;
  times_.started = Clock::now();
}

void Sequence::Run(PageLease pages, int64_t matched) {
  pages_ = std::move(pages);
  computed_ = matched;
  if (!cached_) cached_ = matched;
}

void Sequence::Suspend() {
  pages_.Release();
  computed_ = 0;
}

int64_t Sequence::Advance(int32_t count) {
  computed_ += count;
  const int64_t read = std::max(prompt_read_, std::min(computed_, prompt_size_));
  return read - std::exchange(prompt_read_, read);
}

void Sequence::TakeScore(TokenLogprob score) {
  prompt_logprobs_.push_back(std::move(score));
  ++next_score_;
}

Result<TokenLogprob> Sequence::Score(int64_t position, std::span<const float> logits,
                                     SamplerScratch& scratch) const {
  JIKJI_RETURN_IF_ERROR(CheckLogits(logits));
  scratch.blocks.Scan(logits);
  return LogProbs(logits, scratch.blocks, static_cast<size_t>(request_->request.prompt_logprobs))
      .Of(request_->request.prompt[static_cast<size_t>(position)]);
}

bool Sequence::IsStop(TokenId token) const {
  const GenerationRequest& request = request_->request;
  return !request.ignore_eos && std::find(request.stop_ids.begin(), request.stop_ids.end(),
                                          token) != request.stop_ids.end();
}

Emission Sequence::Begin() {
  Emission emission;
  emission.request = request_;
  emission.delta.choice = choice_;
  emission.delta.prompt_logprobs = std::exchange(prompt_logprobs_, {});
  emission.delta.cached_tokens = cached_.value_or(0);
  return emission;
}

void Sequence::Close(FinishReason reason, Clock::time_point now, Emission& emission) {
  Delta& delta = emission.delta;
  delta.text += text_.Finish();
  // What was held back may complete a stop string as the last token did not.
  if (reason == FinishReason::kLength && text_.match()) reason = FinishReason::kStop;
  delta.finish = reason;
  delta.prompt_tokens = prompt_size_;
  delta.output_tokens = output();
  if (text_.match()) delta.stop_match = *text_.match();
  if (output() == 0) times_.first_token = now;
  times_.finished = now;
  emission.times = times_;
}

Emission Sequence::Take(SampledToken sampled, Clock::time_point now) {
  tokens_.push_back(sampled.token);
  awaited_ = std::max(0, awaited_ - 1);
  drafter_.Observe(sampled.token);
  Emission emission = Begin();
  if (output() == 1) {
    times_.first_token = now;
    emission.first_token = Seconds(now - times_.arrived);
  } else {
    emission.inter_token = Seconds(now - last_token_);
  }
  last_token_ = now;
  emission.delta.tokens.push_back(sampled.token);
  if (sampled.logprob) emission.delta.logprobs.push_back(std::move(*sampled.logprob));

  const bool stop = IsStop(sampled.token);
  if (!stop || request_->request.include_stop_text) {
    emission.delta.text = text_.Push(sampled.token);
  }
  if (stop || text_.match()) {
    Close(FinishReason::kStop, now, emission);
  } else if (output() == request_->request.max_tokens) {
    Close(FinishReason::kLength, now, emission);
  }
  return emission;
}

Emission Sequence::End(FinishReason reason, std::optional<Error> error, Clock::time_point now) {
  Emission emission = Begin();
  emission.delta.error = std::move(error);
  Close(reason, now, emission);
  return emission;
}

Emission EndUnstarted(const std::shared_ptr<ActiveRequest>& request, int32_t choice,
                      FinishReason reason, std::optional<Error> error, Clock::time_point now) {
  Emission emission;
  emission.request = request;
  emission.delta.choice = choice;
  emission.delta.finish = reason;
  emission.delta.error = std::move(error);
  emission.delta.prompt_tokens = static_cast<int64_t>(request->request.prompt.size());
  emission.started = false;
  emission.times = RequestTimes{request->arrived, now, now, now};
  return emission;
}

}  // namespace jikji
