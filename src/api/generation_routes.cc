#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/content_guard.h"
#include "api/generation.h"
#include "api/generation_plan.h"
#include "api/handlers.h"
#include "base/log.h"

namespace jikji {
namespace {

void LogUnknown(const Call& call, const GenerationFields& fields) {
  if (fields.unknown.empty()) return;
  Log(LogLevel::kDebug,
      fmt::format("{} {}: fields with no meaning here: {}", call.reply.request_id(),
                  call.request.path, fmt::join(fields.unknown, ", ")));
}

AnswerHead MakeHead(const Call& call, const GenerationFields& fields, const ServedModel& model,
                    AnswerKind kind, bool logprobs) {
  AnswerHead head;
  head.kind = kind;
  head.model = model.name;
  head.id = (kind == AnswerKind::kChat ? "chatcmpl-" : "cmpl-") +
            (fields.request_id.empty() ? call.reply.request_id() : fields.request_id);
  head.created = Now();
  head.logprobs = logprobs;
  head.include_usage = fields.include_usage;
  head.continuous_usage = fields.continuous_usage;
  return head;
}

ApiResult<GenerationCall> PlanChat(const Call& call) {
  JIKJI_ASSIGN(ChatRequest request, ParseChatRequest(call.request.body));
  LogUnknown(call, request.common);
  const ApiContext& context = *call.context;
  const PromptScreen screen(context.options.guard.get(), call.reply.request_id());
  JIKJI_RETURN_IF_ERROR(screen.CheckLogprobs(request.logprobs >= 0));
  JIKJI_RETURN_IF_ERROR(screen.Screen(request.turns));
  GenerationCall plan;
  JIKJI_ASSIGN(plan.model, call.ResolveModel(request.common.model));
  plan.head = MakeHead(call, request.common, plan.model, AnswerKind::kChat, request.logprobs >= 0);
  plan.stream = request.common.stream;
  JIKJI_ASSIGN(std::vector<TokenId> prompt, context.prompts.EncodeChat(request.turns, Now()));
  PromptJob job;
  JIKJI_ASSIGN(job.request,
               PlanGeneration(request.common, context.model(), context.context_tokens(),
                              std::move(prompt), "messages"));
  job.request.logprobs = request.logprobs;
  job.priority = request.common.priority;
  job.cache_salt = request.common.cache_salt;
  plan.jobs.push_back(std::move(job));
  return plan;
}

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

ApiResult<GenerationCall> PlanCompletion(const Call& call) {
  JIKJI_ASSIGN(CompletionRequest request, ParseCompletionRequest(call.request.body));
  LogUnknown(call, request.common);
  const PromptScreen screen(call.context->options.guard.get(), call.reply.request_id());
  JIKJI_RETURN_IF_ERROR(screen.CheckLogprobs(request.logprobs >= 0));
  for (CompletionPrompt& prompt : request.prompts) {
    JIKJI_RETURN_IF_ERROR(screen.Screen(prompt, *call.context->model().tokenizer));
  }
  GenerationCall plan;
  JIKJI_ASSIGN(plan.model, call.ResolveModel(request.common.model));
  plan.head =
      MakeHead(call, request.common, plan.model, AnswerKind::kCompletion, request.logprobs >= 0);
  plan.stream = request.common.stream;
  for (const CompletionPrompt& prompt : request.prompts) {
    JIKJI_ASSIGN(PromptJob job, PlanPrompt(*call.context, request, prompt));
    plan.jobs.push_back(std::move(job));
  }
  return plan;
}

void Answer(Call& call, ApiResult<GenerationCall> plan) {
  if (!plan) return call.reply.SendError(plan.error());
  Generate(call.context, call.caller, call.reply, std::move(*plan));
}

}  // namespace

void PostChatCompletions(Call& call) { Answer(call, PlanChat(call)); }

void PostCompletions(Call& call) { Answer(call, PlanCompletion(call)); }

}  // namespace jikji
