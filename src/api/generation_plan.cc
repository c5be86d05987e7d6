#include "api/generation_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace jikji {
namespace {

constexpr const char* kTooLong = "context_length_exceeded";

uint64_t RandomSeed() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

ApiResult<> CheckIds(const GenerationFields& fields, const std::vector<TokenId>& prompt,
                     int64_t vocab, std::string_view prompt_field) {
  const auto outside = [vocab](TokenId id) { return id < 0 || id >= vocab; };
  if (const auto id = std::ranges::find_if(prompt, outside); id != prompt.end()) {
    return BadField(prompt_field,
                    fmt::format("`{}` holds {}, which is no token of this model (0 to {})",
                                prompt_field, *id, vocab - 1));
  }
  for (const auto& [id, bias] : fields.logit_bias) {
    if (outside(id)) {
      return BadField("logit_bias",
                      fmt::format("`logit_bias` names {}, which is no token of this model (0 to "
                                  "{})",
                                  id, vocab - 1));
    }
  }
  if (const auto id = std::ranges::find_if(fields.stop_token_ids, outside);
      id != fields.stop_token_ids.end()) {
    return BadField("stop_token_ids",
                    fmt::format("`stop_token_ids` holds {}, which is no token of this model (0 "
                                "to {})",
                                *id, vocab - 1));
  }
  return {};
}

ApiResult<int64_t> ResolveMaxTokens(const GenerationFields& fields, int64_t context, int64_t prompt,
                                    std::string_view prompt_field) {
  if (prompt == 0) return BadField(prompt_field, "the prompt has no tokens");
  const int64_t least = fields.max_tokens == 0 ? 0 : 1;  // a prompt alone may fill the context
  if (prompt + least > context) {
    return BadField(prompt_field,
                    fmt::format("This model's maximum context length is {} tokens. However, your "
                                "`{}` came to {} tokens. Please shorten it.",
                                context, prompt_field, prompt),
                    kTooLong);
  }
  if (!fields.max_tokens) return context - prompt;
  if (prompt + *fields.max_tokens > context) {
    return BadField(fields.max_tokens_field,
                    fmt::format("`{}` is too large: {}. This model's maximum context length is {} "
                                "tokens and your `{}` came to {} tokens ({} are left).",
                                fields.max_tokens_field, *fields.max_tokens, context, prompt_field,
                                prompt, context - prompt),
                    kTooLong);
  }
  return *fields.max_tokens;
}

}  // namespace

SamplingParams ResolveSampling(const GenerationFields& fields, const GenerationDefaults& defaults) {
  SamplingParams sampling;
  const bool greedy = defaults.do_sample.has_value() && !*defaults.do_sample;
  sampling.temperature =
      fields.temperature.value_or(greedy ? 0.0 : defaults.temperature.value_or(1.0));
  const int64_t top_k = fields.top_k.value_or(defaults.top_k.value_or(0));
  sampling.top_k = static_cast<int32_t>(std::clamp<int64_t>(top_k, 0, INT32_MAX));
  sampling.top_p = fields.top_p.value_or(defaults.top_p.value_or(1.0));
  if (sampling.top_p == 0) {
    // The smallest set with at least no probability: its one likeliest token.
    sampling.top_k = 1;
    sampling.top_p = 1.0;
  }
  sampling.min_p = fields.min_p.value_or(defaults.min_p.value_or(0.0));
  sampling.repetition_penalty =
      fields.repetition_penalty.value_or(defaults.repetition_penalty.value_or(1.0));
  sampling.presence_penalty = fields.presence_penalty.value_or(0.0);
  sampling.frequency_penalty = fields.frequency_penalty.value_or(0.0);
  sampling.logit_bias = fields.logit_bias;
  sampling.seed = fields.seed ? static_cast<uint64_t>(*fields.seed) : RandomSeed();
  return sampling;
}

ApiResult<GenerationRequest> PlanGeneration(const GenerationFields& fields,
                                            const ModelDescription& model, int64_t context,
                                            std::vector<TokenId> prompt,
                                            std::string_view prompt_field) {
  const int64_t vocab = model.spec.vocab;
  JIKJI_RETURN_IF_ERROR(CheckIds(fields, prompt, vocab, prompt_field));
  GenerationRequest request;
  JIKJI_ASSIGN(
      request.max_tokens,
      ResolveMaxTokens(fields, context, static_cast<int64_t>(prompt.size()), prompt_field));
  if (fields.min_tokens > request.max_tokens) {
    return BadField("min_tokens", fmt::format("`min_tokens` must be at most `{}`, {} here",
                                              fields.max_tokens_field, request.max_tokens));
  }
  request.prompt = std::move(prompt);
  request.sampling = ResolveSampling(fields, model.defaults);
  request.choices = fields.n;
  request.min_tokens = fields.min_tokens;
  request.stop = fields.stop;
  // `ignore_eos` is about the model's own ends of text; ids that the request names still end it.
  request.stop_ids = fields.stop_token_ids;
  if (!fields.ignore_eos) {
    request.stop_ids.insert(request.stop_ids.end(), model.stop_ids.begin(), model.stop_ids.end());
  }
  std::ranges::sort(request.stop_ids);
  const auto repeated = std::ranges::unique(request.stop_ids);
  request.stop_ids.erase(repeated.begin(), repeated.end());
  request.include_stop_text = fields.include_stop_text;
  request.skip_special = fields.skip_special;
  return request;
}

}  // namespace jikji
