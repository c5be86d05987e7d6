#include "api/completion_request.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>

#include "api/fields.h"
#include "base/json.h"
#include "text/normalize.h"

namespace jikji {
namespace {

constexpr int64_t kMaxLogprobs = 20;
// Of one call; each is a request of its own to the engine.
constexpr size_t kMaxPrompts = 128;
// What OpenAI and vLLM write where nothing is said.
constexpr int64_t kDefaultMaxTokens = 16;

constexpr std::string_view kFields[] = {"prompt",          "echo",    "logprobs",
                                        "prompt_logprobs", "best_of", "response_format"};
constexpr RefusedField kRefused[] = {{"response_format"}};

ApiResult<CompletionPrompt> ParseIds(const boost::json::array& list) {
  std::vector<TokenId> ids;
  ids.reserve(list.size());
  for (const boost::json::value& item : list) {
    const int64_t* id = item.if_int64();
    if (id == nullptr || *id < 0 || *id > std::numeric_limits<TokenId>::max()) {
      return BadField("prompt", "`prompt` holds a list with something other than token ids");
    }
    ids.push_back(static_cast<TokenId>(*id));
  }
  if (ids.empty()) return BadField("prompt", "`prompt` must not be empty");
  return ids;
}

// A string, a list of strings, a list of token ids, or a list of such lists.
ApiResult<std::vector<CompletionPrompt>> ParsePrompts(const boost::json::object& body) {
  const boost::json::value* prompt = body.if_contains("prompt");
  if (prompt == nullptr || prompt->is_null()) return BadField("prompt", "`prompt` is missing");
  std::vector<CompletionPrompt> prompts;
  if (const auto* text = prompt->if_string()) {
    prompts.emplace_back(NormalizeNfc(*text));
    return prompts;
  }
  const boost::json::array* list = prompt->if_array();
  if (list == nullptr) {
    return BadField("prompt",
                    "`prompt` must be a string, a list of strings, a list of token ids "
                    "or a list of such lists");
  }
  if (list->empty()) return BadField("prompt", "`prompt` must not be empty");
  if (list->front().is_number()) {
    JIKJI_ASSIGN(CompletionPrompt ids, ParseIds(*list));
    prompts.push_back(std::move(ids));
    return prompts;
  }
  if (list->size() > kMaxPrompts) {
    return BadField("prompt", fmt::format("`prompt` takes at most {} prompts", kMaxPrompts));
  }
  for (const boost::json::value& item : *list) {
    if (const auto* text = item.if_string()) {
      prompts.emplace_back(NormalizeNfc(*text));
    } else if (const auto* ids_list = item.if_array()) {
      JIKJI_ASSIGN(CompletionPrompt ids, ParseIds(*ids_list));
      prompts.push_back(std::move(ids));
    } else {
      return BadField("prompt", fmt::format("`prompt` holds {}; it takes strings or lists of "
                                            "token ids",
                                            JsonTypeName(item)));
    }
  }
  return prompts;
}

ApiResult<> CheckUnsupported(const boost::json::object& body, int32_t n) {
  JIKJI_RETURN_IF_ERROR(RefuseFields(body, kRefused));
  JIKJI_ASSIGN(const auto best_of, OptionalInt(body, "best_of"));
  if (best_of && *best_of != n) {
    return BadField("best_of", "`best_of` other than `n` is not supported by this server");
  }
  return {};
}

}  // namespace

ApiResult<CompletionRequest> ParseCompletionRequest(std::string_view body) {
  JIKJI_ASSIGN(const boost::json::value value, ParseBody(body));
  const boost::json::object& object = value.get_object();
  CompletionRequest request;
  JIKJI_ASSIGN(request.common, ParseGenerationFields(object, kFields));
  JIKJI_RETURN_IF_ERROR(CheckUnsupported(object, request.common.n));
  if (!request.common.max_tokens) request.common.max_tokens = kDefaultMaxTokens;
  JIKJI_ASSIGN(request.prompts, ParsePrompts(object));
  JIKJI_ASSIGN(request.add_special_tokens, BoolOr(object, "add_special_tokens", true));
  JIKJI_ASSIGN(request.echo, BoolOr(object, "echo", false));
  JIKJI_ASSIGN(const auto logprobs, IntIn(object, "logprobs", 0, kMaxLogprobs));
  JIKJI_ASSIGN(const auto prompt_logprobs, IntIn(object, "prompt_logprobs", 0, kMaxLogprobs));
  request.logprobs = static_cast<int32_t>(logprobs.value_or(-1));
  request.prompt_logprobs = static_cast<int32_t>(prompt_logprobs.value_or(-1));
  if (request.common.stream && request.prompt_logprobs >= 0) {
    return BadField("prompt_logprobs", "`prompt_logprobs` are not available when `stream=True`.");
  }
  return request;
}

}  // namespace jikji
