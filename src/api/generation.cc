#include "api/generation.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "api/content_guard.h"
#include "api/rate_headers.h"
#include "api/receipt.h"
#include "api/request_id.h"

namespace jikji {
namespace {

constexpr std::string_view kDone = "data: [DONE]\n\n";

// How a choice ends that the privacy guard cut.
constexpr std::string_view kContentFilter = "content_filter";

ApiError ErrorOf(const Delta& delta) {
  if (delta.finish == FinishReason::kCancelled) {
    return ErrorOfStatus(503, "the server stopped before the answer was complete; try again");
  }
  if (delta.error) return ApiError(*delta.error);
  return ErrorOfStatus(500, "the engine failed on this request");
}

class Generation : public std::enable_shared_from_this<Generation> {
 public:
  // Gives each job's request its id. `jobs` is not empty.
  Generation(std::shared_ptr<const ApiContext> context, std::shared_ptr<Caller> caller, Reply reply,
             ServedModel model, AnswerHead head, bool stream, std::vector<PromptJob>& jobs)
      : context_(std::move(context)),
        caller_(std::move(caller)),
        reply_(std::move(reply)),
        model_(std::move(model)),
        record_(context_->options.governor, caller_.get(), reply_.request_id()),
        stream_(stream),
        include_usage_(head.include_usage),
        choices_per_job_(static_cast<size_t>(jobs.front().request.choices)),
        receipt_(record_.is_kept() ? ReceiptMaker(context_->receipt_origin, head,
                                                  context_->AdapterOf(model_), choices_per_job_)
                                   : ReceiptMaker()),
        writer_(std::move(head), context_->model(model_.adapter).tokenizer,
                jobs.size() * choices_per_job_),
        open_choices_(jobs.size() * choices_per_job_),
        finished_(open_choices_, false) {
    for (PromptJob& job : jobs) {
      job.request.id = RandomId();
      job.request.adapter = model_.adapter;
      JobState& state = jobs_.emplace_back();
      state.id = job.request.id;
      state.echo = std::move(job.echo);
      state.echo_logprobs = job.echo_logprobs;
      state.write_prompt_logprobs = job.write_prompt_logprobs;
      state.prompt_tokens = static_cast<int64_t>(job.request.prompt.size());
      // The prompt's log probabilities come with the first words of choice 0; until then the other
      // choices' answers cannot begin.
      state.waits_for_prompt = job.request.prompt_logprobs >= 0;
      state.first_token = job.request.prompt.front();
      usage_.prompt_tokens += state.prompt_tokens;
    }
  }

  void Run(std::vector<PromptJob> jobs) {
    auto screen = AnswerScreen::Start(context_->options.guard.get(), finished_.size(), record_);
    if (!screen) return reply_.SendError(screen.error());
    screen_ = std::move(*screen);
    std::vector<Ticket> tickets;
    for (PromptJob& job : jobs) {
      auto ticket = Admit(job);
      // Of the last prompt: what the answer tells is what is left after all of them.
      if (caller_ != nullptr && (!ticket || &job == &jobs.back())) {
        reply_.Add(RateHeaders(caller_->status()));
      }
      if (!ticket) return reply_.SendError(ApiError(ticket.error()));
      tickets.push_back(std::move(*ticket));
    }
    for (const PromptJob& job : jobs) receipt_.AddPrompt(job.request);
    for (size_t i = 0; i < jobs.size(); ++i) {
      auto submitted = context_->engine.Submit(
          std::move(tickets[i]), std::move(jobs[i].request),
          [self = shared_from_this(), i](Delta delta) { self->OnDelta(i, std::move(delta)); });
      if (!submitted) return Refuse(ApiError(submitted.error()), i);
    }
    Open();
    if (caller_ != nullptr) {
      running_ = context_->options.governor->running_calls().Add(
          caller_->key().organisation, model_.governed,
          [weak = weak_from_this()](const std::string& reason) {
            if (const auto self = weak.lock()) self->StopAll(reason);
          });
    }
    // After Submit, so that a peer which has gone by now is noticed too.
    reply_.OnDisconnect([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->CancelAll();
    });
  }

 private:
  struct JobState {
    std::string id;
    std::string echo;
    bool echo_logprobs = false;
    bool write_prompt_logprobs = false;
    bool waits_for_prompt = false;
    TokenId first_token = 0;
    int64_t prompt_tokens = 0;
    int64_t cached_tokens = 0;
    std::vector<Delta> held;  // of other choices, while it waits for the prompt
  };

  std::expected<Ticket, Refusal> Admit(PromptJob& job) const {
    GenerationRequest& request = job.request;
    TicketIssuer& issuer =
        caller_ == nullptr ? context_->issuer : static_cast<TicketIssuer&>(*caller_);
    auto ticket = issuer.Admit({.request = reply_.request_id(),
                                .tenant = std::string(kLocalTenant),
                                .model = model_.governed,
                                .prompt_tokens = static_cast<int64_t>(request.prompt.size()),
                                .max_output_tokens = request.max_tokens * request.choices,
                                .choices = request.choices,
                                .cache_salt = job.cache_salt,
                                .priority = job.priority});
    if (ticket) {
      // A policy may grant less than was asked for.
      request.max_tokens =
          std::min(request.max_tokens, ticket->max_output_tokens() / request.choices);
      request.min_tokens = std::min(request.min_tokens, request.max_tokens);
    }
    return ticket;
  }

  // The engine would not take job `refused`; those before it leave again.
  void Refuse(const ApiError& error, size_t refused) {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
      early_.clear();
    }
    for (size_t i = 0; i < refused; ++i) context_->engine.Cancel(jobs_[i].id);
    reply_.SendError(error);
  }

  // Every job is in: the answer begins, with what has come already.
  void Open() {
    bool cancel = false;
    {
      const std::lock_guard lock(mutex_);
      submitting_ = false;
      std::string out;
      if (stream_) {
        Mark();
        reply_.BeginEvents();
        for (size_t i = 0; i < finished_.size(); ++i) writer_.AppendOpening(i, usage_, out);
      }
      for (size_t i = 0; i < jobs_.size(); ++i) {
        if (jobs_[i].waits_for_prompt) continue;
        for (size_t c = 0; c < choices_per_job_; ++c) {
          writer_.AddText(i * choices_per_job_ + c, jobs_[i].echo);
        }
      }
      for (auto& [job, delta] : std::exchange(early_, {})) Take(job, std::move(delta), out);
      cancel = Deliver(std::move(out));
    }
    if (cancel) CancelAll();
  }

  void OnDelta(size_t job, Delta delta) {
    bool cancel = false;
    {
      const std::lock_guard lock(mutex_);
      if (done_) return;
      if (submitting_) {
        early_.emplace_back(job, std::move(delta));
        return;
      }
      std::string out;
      Take(job, std::move(delta), out);
      cancel = Deliver(std::move(out));
    }
    if (cancel) CancelAll();
  }

  // Puts a delta into the answer; what is to be sent of it is appended to `out`.
  void Take(size_t job_index, Delta delta, std::string& out) {
    if (done_ || error_) return;
    if (delta.choice < 0 || static_cast<size_t>(delta.choice) >= choices_per_job_) return;
    const size_t choice = job_index * choices_per_job_ + static_cast<size_t>(delta.choice);
    const bool cancelled = delta.finish == FinishReason::kCancelled;
    if (delta.finish == FinishReason::kError || (cancelled && !screen_.cut(choice))) {
      error_ = ErrorOf(delta);
      return;
    }
    JobState& job = jobs_[job_index];
    if (job.waits_for_prompt) {
      if (delta.choice != 0) {
        job.held.push_back(std::move(delta));
        return;
      }
      job.waits_for_prompt = false;
      OpenWithPrompt(job_index, delta);
      Add(job_index, delta, out);
      for (Delta& held : std::exchange(job.held, {})) Add(job_index, held, out);
      return;
    }
    Add(job_index, delta, out);
  }

  void OpenWithPrompt(size_t job_index, const Delta& delta) {
    JobState& job = jobs_[job_index];
    for (size_t c = 0; c < choices_per_job_; ++c) {
      const size_t choice = job_index * choices_per_job_ + c;
      writer_.AddText(choice, job.echo);
      if (job.echo_logprobs) {
        writer_.AddUnforetold(choice, job.first_token);
        for (const TokenLogprob& entry : delta.prompt_logprobs) writer_.AddLogprob(choice, entry);
      }
      if (job.write_prompt_logprobs) {
        std::string json;
        AppendPromptLogprobs(delta.prompt_logprobs, *context_->model(model_.adapter).tokenizer,
                             json);
        writer_.SetPromptLogprobs(choice, std::move(json));
      }
    }
  }

  void Add(size_t job_index, Delta& delta, std::string& out) {
    const size_t choice = job_index * choices_per_job_ + static_cast<size_t>(delta.choice);
    if (finished_[choice]) return;
    receipt_.AddTokens(choice, delta.tokens);
    if (auto passed = screen_.Pass(choice, delta, record_); !passed) {
      error_ = std::move(passed).error();
      return;
    }
    writer_.AddText(choice, delta.text);
    for (const TokenLogprob& entry : delta.logprobs) writer_.AddLogprob(choice, entry);
    usage_.completion_tokens += static_cast<int64_t>(delta.tokens.size());
    if (stream_) writer_.AppendNews(choice, usage_, out);
    if (!delta.finish) return;
    finished_[choice] = true;
    --open_choices_;
    final_.completion_tokens += delta.output_tokens;
    JobState& job = jobs_[job_index];
    job.prompt_tokens = delta.prompt_tokens;
    // Of the choice that came first: the others find what it has just computed.
    if (delta.choice == 0) job.cached_tokens = delta.cached_tokens;
    if (screen_.cut(choice)) {
      writer_.Finish(choice, kContentFilter, {});
    } else {
      writer_.Finish(choice, FinishReasonName(*delta.finish), std::move(delta.stop_match));
    }
    receipt_.Finish(choice, screen_.cut(choice) ? kContentFilter : FinishReasonName(*delta.finish),
                    !screen_.cut(choice));
    if (open_choices_ == 0) Seal();
    if (stream_ && !error_) writer_.AppendFinish(choice, usage_, sealed_, out);
  }

  // The last choice has ended: the whole is recorded before the client learns that it is whole.
  void Seal() {
    for (const JobState& job : jobs_) {
      final_.prompt_tokens += job.prompt_tokens;
      final_.cached_tokens += job.cached_tokens;
    }
    if (!record_.is_kept()) return;
    auto sealed = receipt_.Seal(record_, final_);
    if (sealed) {
      sealed_ = std::move(*sealed);
    } else {
      error_ = std::move(sealed).error();
    }
  }

  // The head of what a machine wrote; a refusal is none.
  void Mark() { reply_.Add({{"X-AI-Generated", "true"}}); }

  // Sends what there is; ends the answer where it is complete or broken. True where the engine is
  // to be told that the rest is not wanted; not from here, since it may call back at once.
  bool Deliver(std::string out) {
    if (done_) return false;
    if (error_) {
      done_ = true;
      if (!stream_) {
        reply_.SendError(*error_);
      } else {
        out += "data: " + error_->ToJson() + "\n\n";
        out += kDone;
        reply_.Write(std::move(out));
        reply_.End();
      }
      return true;
    }
    if (open_choices_ > 0) {
      if (out.empty() || reply_.Write(std::move(out))) return NothingIsWanted();
      done_ = true;
      return true;
    }
    done_ = true;
    if (!stream_) {
      Mark();
      reply_.SendJson(writer_.Whole(final_, sealed_));
      return false;
    }
    if (include_usage_) writer_.AppendUsage(final_, out);
    out += kDone;
    reply_.Write(std::move(out));
    reply_.End();
    return false;
  }

  // Every choice that the engine still works on was cut. The first time only: the engine answers.
  bool NothingIsWanted() {
    if (stopping_) return false;
    for (size_t i = 0; i < finished_.size(); ++i) {
      if (!finished_[i] && !screen_.cut(i)) return false;
    }
    stopping_ = true;
    return true;
  }

  // The operator's emergency stop: the answer ends with an error, the engine's work with it.
  void StopAll(const std::string& reason) {
    {
      const std::lock_guard lock(mutex_);
      if (done_) return;
      record_.Stopped(reason);
      ApiError stopped = ErrorOfStatus(503, "stopped by the operator: " + reason);
      stopped.code = "emergency_stop";
      stopped.retry_after.reset();
      error_ = std::move(stopped);
      Deliver({});
    }
    CancelAll();
  }

  void CancelAll() {
    for (const JobState& job : jobs_) context_->engine.Cancel(job.id);
  }

  const std::shared_ptr<const ApiContext> context_;
  const std::shared_ptr<Caller> caller_;
  Reply reply_;  // does not change once a request is in the engine
  const ServedModel model_;
  const CallRecord record_;
  const bool stream_;
  const bool include_usage_;
  const size_t choices_per_job_;

  std::mutex mutex_;  // over what follows, but for the ids in jobs_, which do not change
  ReceiptMaker receipt_;
  AnswerWriter writer_;
  AnswerScreen screen_;
  std::vector<JobState> jobs_;
  bool submitting_ = true;  // deltas gather in early_
  std::vector<std::pair<size_t, Delta>> early_;
  size_t open_choices_;
  std::vector<bool> finished_;
  std::optional<ApiError> error_;
  bool stopping_ = false;  // what is left was cut, and the engine was told
  bool done_ = false;      // nothing more is sent
  AnswerUsage usage_;      // so far
  AnswerUsage final_;      // the engine's own count
  std::string sealed_;     // the receipt, once all choices have ended
  RunningCalls::Entry running_;
};

}  // namespace

void Generate(std::shared_ptr<const ApiContext> context, std::shared_ptr<Caller> caller,
              Reply reply, GenerationCall call) {
  std::vector<PromptJob> jobs = std::move(call.jobs);
  const auto generation =
      std::make_shared<Generation>(std::move(context), std::move(caller), std::move(reply),
                                   std::move(call.model), std::move(call.head), call.stream, jobs);
  generation->Run(std::move(jobs));
}

}  // namespace jikji
