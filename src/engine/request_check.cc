#include "engine/request_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/utf8.h"
#include "engine/page_allocator.h"

namespace jikji {
namespace {

std::unexpected<Error> Refuse(std::string message, std::string field) {
  return Fail(ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

Result<> CheckTokens(std::span<const TokenId> tokens, int64_t vocab, const char* field) {
  const auto bad =
      std::find_if(tokens.begin(), tokens.end(), [&](TokenId id) { return id < 0 || id >= vocab; });
  if (bad == tokens.end()) return {};
  return Refuse(fmt::format("token id {} is not in the vocabulary of {}", *bad, vocab), field);
}

Result<> CheckSampling(const SamplingParams& params, int64_t vocab) {
  const auto in_range = [](double value, double low, double high) {
    return value >= low && value <= high;  // false for NaN
  };
  // Wide enough for any client; narrow enough that a penalised logit stays far from infinity.
  constexpr double kMost = 1e6;
  if (!in_range(params.temperature, 0, kMost)) {
    return Refuse("must be a number from 0", "temperature");
  }
  if (params.top_k < 0) return Refuse("must be at least 0; 0 is off", "top_k");
  if (!in_range(params.top_p, 0, 1) || params.top_p == 0) {
    return Refuse("must be above 0 and at most 1", "top_p");
  }
  if (!in_range(params.min_p, 0, 1)) return Refuse("must be from 0 to 1", "min_p");
  if (!in_range(params.repetition_penalty, 1 / kMost, kMost)) {
    return Refuse("must be a number above 0", "repetition_penalty");
  }
  if (!in_range(params.presence_penalty, -kMost, kMost)) {
    return Refuse("must be a finite number", "presence_penalty");
  }
  if (!in_range(params.frequency_penalty, -kMost, kMost)) {
    return Refuse("must be a finite number", "frequency_penalty");
  }
  if (params.logit_bias.size() > static_cast<size_t>(vocab)) {
    return Refuse("has more entries than the vocabulary", "logit_bias");
  }
  for (const auto& [id, bias] : params.logit_bias) {
    JIKJI_RETURN_IF_ERROR(CheckTokens({&id, 1}, vocab, "logit_bias"));
    if (!in_range(bias, -kMost, kMost)) return Refuse("must be finite numbers", "logit_bias");
  }
  return {};
}

Result<> CheckStops(const GenerationRequest& request, int64_t vocab) {
  size_t bytes = 0;
  for (const std::string& stop : request.stop) {
    if (stop.empty()) return Refuse("a stop string must not be empty", "stop");
    if (!IsValidUtf8(stop)) return Refuse("a stop string must be UTF-8", "stop");
    bytes += stop.size();
  }
  if (request.stop.size() > kMostStopStrings || bytes > kMostStopBytes) {
    return Refuse(fmt::format("at most {} stop strings of {} bytes together", kMostStopStrings,
                              kMostStopBytes),
                  "stop");
  }
  if (request.stop_ids.size() > static_cast<size_t>(vocab)) {
    return Refuse("has more entries than the vocabulary", "stop_token_ids");
  }
  return CheckTokens(request.stop_ids, vocab, "stop_token_ids");
}

Result<> CheckLength(const GenerationRequest& request, const Ticket& ticket,
                     const EngineBounds& bounds) {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  if (prompt == 0) return Refuse("must have at least one token", "prompt");
  if (request.max_tokens < 0) return Refuse("must not be negative", "max_tokens");
  if (prompt > bounds.context || request.max_tokens > bounds.context - prompt) {
    return Refuse(fmt::format("{} tokens of prompt and {} of output do not fit the context of {}",
                              prompt, request.max_tokens, bounds.context),
                  "max_tokens");
  }
  if (PagesFor(prompt + request.max_tokens, bounds.page_tokens) > bounds.pages) {
    return Refuse("prompt and output do not fit the KV cache", "max_tokens");
  }
  if (request.min_tokens < 0 || request.min_tokens > request.max_tokens) {
    return Refuse(fmt::format("must be from 0 to max_tokens ({})", request.max_tokens),
                  "min_tokens");
  }
  if (prompt != ticket.prompt_tokens()) {
    return Refuse(fmt::format("the ticket is for a prompt of {} tokens, and this has {}",
                              ticket.prompt_tokens(), prompt),
                  "prompt");
  }
  if (request.max_tokens * request.choices > ticket.max_output_tokens()) {
    return Refuse(fmt::format("{} times {} tokens are more than the ticket's {}", request.choices,
                              request.max_tokens, ticket.max_output_tokens()),
                  "max_tokens");
  }
  return {};
}

}  // namespace

Result<> CheckRequest(const GenerationRequest& request, const Ticket& ticket,
                      const EngineBounds& bounds) {
  if (request.id.empty()) return Refuse("a request must have an id", "id");
  if (request.choices < 1 || request.choices > kMostChoices) {
    return Refuse(fmt::format("must be from 1 to {}", kMostChoices), "n");
  }
  if (request.logprobs < -1 || request.logprobs > kMostLogprobs) {
    return Refuse(fmt::format("must be at most {}", kMostLogprobs), "logprobs");
  }
  if (request.prompt_logprobs < -1 || request.prompt_logprobs > kMostLogprobs) {
    return Refuse(fmt::format("must be at most {}", kMostLogprobs), "prompt_logprobs");
  }
  if (request.first_prompt_logprob < 1) {
    return Refuse("must be at least 1: the first token has none before it", "first_prompt_logprob");
  }
  if (request.adapter < kBaseModel || request.adapter >= bounds.adapters) {
    return Refuse(fmt::format("there are {} adapters, and {} is none of them", bounds.adapters,
                              request.adapter),
                  "adapter");
  }
  JIKJI_RETURN_IF_ERROR(CheckLength(request, ticket, bounds));
  JIKJI_RETURN_IF_ERROR(CheckTokens(request.prompt, bounds.vocab, "prompt"));
  JIKJI_RETURN_IF_ERROR(CheckSampling(request.sampling, bounds.vocab));
  return CheckStops(request, bounds.vocab);
}

}  // namespace jikji
