#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/content_guard.h"
#include "api/generation.h"
#include "api/generation_jobs.h"
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
  const CallRecord record(context.options.governor, call.caller.get(), call.reply.request_id());
  const PromptScreen screen(context.options.guard.get(), record);
  JIKJI_RETURN_IF_ERROR(screen.CheckLogprobs(request.logprobs >= 0));
  JIKJI_RETURN_IF_ERROR(screen.Screen(request.turns));
  GenerationCall plan;
  JIKJI_ASSIGN(plan.model, call.ResolveModel(request.common.model));
  plan.head = MakeHead(call, request.common, plan.model, AnswerKind::kChat, request.logprobs >= 0);
  plan.stream = request.common.stream;
  JIKJI_ASSIGN(plan.jobs, PlanJobs(context, plan.model.adapter, request, plan.head.created));
  return plan;
}

ApiResult<GenerationCall> PlanCompletion(const Call& call) {
  JIKJI_ASSIGN(CompletionRequest request, ParseCompletionRequest(call.request.body));
  LogUnknown(call, request.common);
  const ApiContext& context = *call.context;
  const CallRecord record(context.options.governor, call.caller.get(), call.reply.request_id());
  const PromptScreen screen(context.options.guard.get(), record);
  JIKJI_RETURN_IF_ERROR(screen.CheckLogprobs(request.logprobs >= 0));
  GenerationCall plan;
  JIKJI_ASSIGN(plan.model, call.ResolveModel(request.common.model));
  // Its tokenizer says what tokens of a prompt spell.
  const Tokenizer& tokenizer = *context.model(plan.model.adapter).tokenizer;
  for (CompletionPrompt& prompt : request.prompts) {
    JIKJI_RETURN_IF_ERROR(screen.Screen(prompt, tokenizer));
  }
  plan.head =
      MakeHead(call, request.common, plan.model, AnswerKind::kCompletion, request.logprobs >= 0);
  plan.stream = request.common.stream;
  JIKJI_ASSIGN(plan.jobs, PlanJobs(context, plan.model.adapter, request));
  return plan;
}

void Answer(Call& call, ApiResult<GenerationCall> plan) {
  if (!plan) return call.reply.SendError(plan.error());
  if (call.kept != 0 && call.caller != nullptr) {
    call.context->kept_answers->SetModel(call.caller->key().id, call.kept, plan->model.governed);
  }
  Generate(call.context, call.caller, call.reply, std::move(*plan));
}

}  // namespace

void PostChatCompletions(Call& call) { Answer(call, PlanChat(call)); }

void PostCompletions(Call& call) { Answer(call, PlanCompletion(call)); }

}  // namespace jikji
