#include "api/generation_jobs.h"

#include <algorithm>

#include "api/generation_plan.h"

namespace jikji {
namespace {

ApiResult<PromptJob> PlanPrompt(const ApiContext& context, int32_t adapter,
                                const CompletionRequest& request, const CompletionPrompt& prompt) {
  const ModelDescription& model = context.model(adapter);
  PromptJob job;
  std::vector<TokenId> ids;
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    ids = context.prompts(adapter).EncodeText(*text, request.add_special_tokens);
    if (request.echo) job.echo = *text;
  } else {
    ids = std::get<std::vector<TokenId>>(prompt);
    if (request.echo) job.echo = model.tokenizer->Decode(ids, /*skip_special=*/false);
  }
  JIKJI_ASSIGN(job.request, PlanGeneration(request.common, model, context.context_tokens(),
                                           std::move(ids), "prompt"));
  job.request.logprobs = request.logprobs;
  job.request.prompt_logprobs = request.prompt_logprobs;
  job.write_prompt_logprobs = request.prompt_logprobs >= 0;
  if (request.echo && request.logprobs >= 0) {
    job.echo_logprobs = true;
    job.request.prompt_logprobs = std::max(request.prompt_logprobs, request.logprobs);
  }
  job.priority = request.common.priority;
  job.cache_salt = request.common.cache_salt;
  return job;
}

}  // namespace

ApiResult<std::vector<PromptJob>> PlanJobs(const ApiContext& context, int32_t adapter,
                                           const ChatRequest& request, int64_t now) {
  JIKJI_ASSIGN(std::vector<TokenId> prompt,
               context.prompts(adapter).EncodeChat(request.turns, now));
  std::vector<PromptJob> jobs(1);
  PromptJob& job = jobs.front();
  JIKJI_ASSIGN(job.request,
               PlanGeneration(request.common, context.model(adapter), context.context_tokens(),
                              std::move(prompt), "messages"));
  job.request.logprobs = request.logprobs;
  job.priority = request.common.priority;
  job.cache_salt = request.common.cache_salt;
  return jobs;
}

ApiResult<std::vector<PromptJob>> PlanJobs(const ApiContext& context, int32_t adapter,
                                           const CompletionRequest& request) {
  std::vector<PromptJob> jobs;
  for (const CompletionPrompt& prompt : request.prompts) {
    JIKJI_ASSIGN(jobs.emplace_back(), PlanPrompt(context, adapter, request, prompt));
  }
  return jobs;
}

}  // namespace jikji
