#include "measure/harness/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace jikji::measure {
namespace {

// What the engine's thread and the one that submits tell each other.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  size_t in_flight = 0;
  size_t done = 0;
  std::optional<Error> error;  // the first
};

Result<Ticket> TicketFor(const GenerationRequest& request) {
  AdmissionRequest admission;
  admission.tenant = "eval";
  admission.prompt_tokens = static_cast<int64_t>(request.prompt.size());
  admission.max_output_tokens = request.max_tokens;
  auto ticket = LocalPolicy().Admit(admission);
  if (!ticket) return std::unexpected<Error>(std::move(ticket.error()));
  return std::move(*ticket);
}

}  // namespace

Result<> Scorer::Run(size_t count, const std::function<GenerationRequest(size_t)>& make,
                     const std::function<void(size_t, Delta&)>& take,
                     const ShowProgress& progress) {
  // Twice what runs together: the next are at hand when some end.
  const EngineOptions& options = engine_.options();
  const size_t most = std::min(options.max_queued, 2 * static_cast<size_t>(options.max_running));
  Shared shared;
  const auto wait_below = [&](size_t limit) {
    for (;;) {
      std::unique_lock lock(shared.mutex);
      const size_t done = shared.done;
      if (shared.in_flight < limit) return !shared.error;
      shared.changed.wait(lock, [&] { return shared.done != done || shared.in_flight < limit; });
      const double share = static_cast<double>(shared.done) / static_cast<double>(count);
      lock.unlock();
      if (progress) progress(share);
    }
  };
  for (size_t i = 0; i < count && wait_below(most); ++i) {
    GenerationRequest request = make(i);
    request.id = fmt::format("eval-{}", next_id_++);
    auto ticket = TicketFor(request);
    {
      const std::lock_guard lock(shared.mutex);
      ++shared.in_flight;
    }
    Result<> submitted;
    if (!ticket) {
      submitted = std::unexpected(std::move(ticket.error()));
    } else {
      submitted = engine_.Submit(std::move(*ticket), std::move(request), [&, i](Delta delta) {
        const std::lock_guard lock(shared.mutex);
        take(i, delta);
        if (!delta.finish) return;
        if (delta.error && !shared.error) shared.error = delta.error;
        --shared.in_flight;
        ++shared.done;
        shared.changed.notify_one();
      });
    }
    if (!submitted) {
      const std::lock_guard lock(shared.mutex);
      --shared.in_flight;
      if (!shared.error) shared.error = std::move(submitted.error());
    }
  }
  wait_below(1);
  if (shared.error) return std::unexpected(std::move(*shared.error));
  return {};
}

Result<std::vector<std::vector<float>>> Scorer::Score(std::span<const ScoreTokens> texts,
                                                      const ShowProgress& progress) {
  std::vector<std::vector<float>> out(texts.size());
  const auto make = [&](size_t i) {
    GenerationRequest request;
    request.prompt = texts[i].tokens;
    request.max_tokens = 0;
    request.prompt_logprobs = 0;
    request.first_prompt_logprob =
        static_cast<int64_t>(texts[i].tokens.size()) - static_cast<int64_t>(texts[i].scored);
    return request;
  };
  const auto take = [&](size_t i, Delta& delta) {
    for (const TokenLogprob& token : delta.prompt_logprobs) out[i].push_back(token.logprob);
  };
  JIKJI_RETURN_IF_ERROR(Run(texts.size(), make, take, progress));
  return out;
}

Result<std::vector<Generated>> Scorer::Generate(std::span<const Prompt> prompts,
                                                const ShowProgress& progress) {
  std::vector<Generated> out(prompts.size());
  const int64_t context = engine_.options().context;
  const auto make = [&](size_t i) {
    const Prompt& prompt = prompts[i];
    GenerationRequest request;
    request.max_tokens = std::clamp<int64_t>(prompt.max_tokens, 1, context - 1);
    const auto size = static_cast<int64_t>(prompt.tokens.size());
    const int64_t kept = std::min(size, context - request.max_tokens);
    request.prompt.assign(prompt.tokens.end() - kept, prompt.tokens.end());
    request.sampling.temperature = 0;
    request.stop = prompt.stop;
    request.stop_ids = engine_.model().stop_ids;
    return request;
  };
  const auto take = [&](size_t i, Delta& delta) {
    out[i].text += delta.text;
    if (delta.finish) out[i].ended = *delta.finish == FinishReason::kStop;
  };
  JIKJI_RETURN_IF_ERROR(Run(prompts.size(), make, take, progress));
  return out;
}

}  // namespace jikji::measure
