#include "api/generation_jobs.h"

#include <algorithm>

#include "api/generation_plan.h"

namespace jikji {
namespace {

ApiResult<PromptJob> PlanPrompt(const ApiContext& context, const CompletionRequest& request,
                                const CompletionPrompt& prompt) {
  PromptJob job;
  std::vector<TokenId> ids;
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    ids = context.prompts.EncodeText(*text, request.add_special_tokens);
    if (request.echo) job.echo = *text;
  } else {
    ids = std::get<std::vector<TokenId>>(prompt);
    if (request.echo) job.echo = context.model().tokenizer->Decode(ids, /*skip_special=*/false);
  }
  JIKJI_ASSIGN(job.request, PlanGeneration(request.common, context.model(),
                                           context.context_tokens(), std::move(ids), "prompt"));
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

ApiResult<std::vector<PromptJob>> PlanJobs(const ApiContext& context, const ChatRequest& request,
                                           int64_t now) {
  JIKJI_ASSIGN(std::vector<TokenId> prompt, context.prompts.EncodeChat(request.turns, now));
  std::vector<PromptJob> jobs(1);
  PromptJob& job = jobs.front();
  JIKJI_ASSIGN(job.request,
               PlanGeneration(request.common, context.model(), context.context_tokens(),
                              std::move(prompt), "messages"));
  job.request.logprobs = request.logprobs;
  job.priority = request.common.priority;
  job.cache_salt = request.common.cache_salt;
  return jobs;
}

ApiResult<std::vector<PromptJob>> PlanJobs(const ApiContext& context,
                                           const CompletionRequest& request) {
  std::vector<PromptJob> jobs;
  for (const CompletionPrompt& prompt : request.prompts) {
    JIKJI_ASSIGN(jobs.emplace_back(), PlanPrompt(context, request, prompt));
  }
  return jobs;
}

}  // namespace jikji
