#include "api/chat_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/chat_messages.h"
#include "api/fields.h"
#include "base/json.h"

namespace jikji {
namespace {

constexpr int64_t kMaxTopLogprobs = 20;

constexpr std::string_view kFields[] = {"messages",
                                        "max_completion_tokens",
                                        "logprobs",
                                        "top_logprobs",
                                        "chat_template_kwargs",
                                        "reasoning_effort",
                                        "add_generation_prompt",
                                        "continue_final_message",
                                        "response_format",
                                        "tool_choice",
                                        "function_call",
                                        "parallel_tool_calls",
                                        "modalities",
                                        "tools",
                                        "functions",
                                        "audio",
                                        "prediction",
                                        "web_search_options",
                                        "documents",
                                        "chat_template",
                                        "echo",
                                        "prompt_logprobs",
                                        "best_of"};

constexpr std::string_view kOfCompletions = "belongs to /v1/completions";

constexpr RefusedField kRefused[] = {{"functions"},
                                     {"audio"},
                                     {"prediction"},
                                     {"web_search_options"},
                                     {"documents"},
                                     {"chat_template"},
                                     {"echo", true, kOfCompletions},
                                     {"prompt_logprobs", false, kOfCompletions},
                                     {"best_of", false, kOfCompletions}};

// Names that the template gets from elsewhere.
constexpr std::string_view kReservedVariables[] = {
    "messages",  "tools",     "documents",     "add_generation_prompt",
    "bos_token", "eos_token", "chat_template", "continue_final_message",
    "tokenize"};

ApiResult<> RefuseTools(const boost::json::object& body) {
  if (const auto* tools = body.if_contains("tools"); tools != nullptr && !tools->is_null()) {
    return BadField("tools", "`tools` is not supported by this server; leave it out");
  }
  for (const std::string_view key : {"tool_choice", "function_call"}) {
    const auto* choice = body.if_contains(key);
    if (choice == nullptr || choice->is_null()) continue;
    if (choice->is_string() && choice->get_string() == "none") continue;
    return BadField(key,
                    fmt::format("`{}` must be `none`: this server does not support tools", key));
  }
  return {};
}

ApiResult<> CheckOutputKind(const boost::json::object& body) {
  JIKJI_ASSIGN(const auto* format, OptionalObject(body, "response_format"));
  if (format != nullptr) {
    JIKJI_ASSIGN(const auto type, OptionalString(*format, "type", "response_format"));
    if (type != "text") {
      return BadField("response_format",
                      "`response_format` other than {\"type\":\"text\"} is not supported by this "
                      "server");
    }
  }
  JIKJI_ASSIGN(const auto* modalities, OptionalArray(body, "modalities"));
  if (modalities != nullptr) {
    for (const boost::json::value& kind : *modalities) {
      if (!kind.is_string() || kind.get_string() != "text") {
        return BadField("modalities", "this server writes text only");
      }
    }
  }
  return {};
}

ApiResult<std::shared_ptr<const boost::json::object>> ParseVariables(
    const boost::json::object& body) {
  JIKJI_ASSIGN(const auto* kwargs, OptionalObject(body, "chat_template_kwargs"));
  JIKJI_ASSIGN(const auto effort, OptionalString(body, "reasoning_effort"));
  if (kwargs == nullptr && !effort) return nullptr;
  auto variables = std::make_shared<boost::json::object>();
  if (effort) (*variables)["reasoning_effort"] = *effort;
  if (kwargs != nullptr) {
    for (const auto& member : *kwargs) {
      if (std::ranges::find(kReservedVariables, std::string_view(member.key())) !=
          std::end(kReservedVariables)) {
        return BadField("chat_template_kwargs",
                        fmt::format("`chat_template_kwargs` must not set `{}`",
                                    std::string_view(member.key())));
      }
      (*variables)[member.key()] = member.value();
    }
  }
  return variables;
}

}  // namespace

ApiResult<ChatTurns> ParseChatTurns(const boost::json::object& body) {
  ChatTurns turns;
  JIKJI_ASSIGN(turns.messages, ParseChatMessages(body));
  JIKJI_ASSIGN(turns.template_variables, ParseVariables(body));
  JIKJI_ASSIGN(turns.continue_final_message, BoolOr(body, "continue_final_message", false));
  JIKJI_ASSIGN(const auto add_prompt, OptionalBool(body, "add_generation_prompt"));
  // Continuing the last message leaves no place for a new turn.
  turns.add_generation_prompt = add_prompt.value_or(!turns.continue_final_message);
  if (turns.add_generation_prompt && turns.continue_final_message) {
    return BadField("continue_final_message",
                    "`continue_final_message` and `add_generation_prompt` cannot both be true");
  }
  JIKJI_ASSIGN(turns.add_special_tokens, BoolOr(body, "add_special_tokens", false));
  return turns;
}

ApiResult<ChatRequest> ParseChatRequest(std::string_view body) {
  JIKJI_ASSIGN(const boost::json::value value, ParseBody(body));
  const boost::json::object& object = value.get_object();
  ChatRequest request;
  JIKJI_RETURN_IF_ERROR(RefuseTools(object));
  JIKJI_RETURN_IF_ERROR(RefuseFields(object, kRefused));
  JIKJI_RETURN_IF_ERROR(CheckOutputKind(object));
  JIKJI_ASSIGN(request.common, ParseGenerationFields(object, kFields));
  constexpr int64_t kMostTokens = 2147483647;
  JIKJI_ASSIGN(const auto most, IntIn(object, "max_completion_tokens", 0, kMostTokens));
  if (most) {
    request.common.max_tokens = most;
    request.common.max_tokens_field = "max_completion_tokens";
  }
  JIKJI_ASSIGN(request.turns, ParseChatTurns(object));
  JIKJI_ASSIGN(const bool logprobs, BoolOr(object, "logprobs", false));
  JIKJI_ASSIGN(const auto top, IntIn(object, "top_logprobs", 0, kMaxTopLogprobs));
  if (top.value_or(0) > 0 && !logprobs) {
    return BadField("top_logprobs", "`top_logprobs` needs `logprobs` to be true");
  }
  if (logprobs) request.logprobs = static_cast<int32_t>(top.value_or(0));
  return request;
}

}  // namespace jikji
