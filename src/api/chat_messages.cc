#include "api/chat_messages.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "text/normalize.h"

namespace jikji {
namespace {

// Of one assistant turn; OpenAI's own limit on tools.
constexpr size_t kMaxToolCalls = 128;

ApiResult<std::string> JoinParts(const boost::json::array& parts, const std::string& path) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string where = fmt::format("{}.content[{}]", path, i);
    const boost::json::object* part = parts[i].if_object();
    if (part == nullptr) return BadField(where, fmt::format("`{}` must be an object", where));
    JIKJI_ASSIGN(const auto type, OptionalString(*part, "type", where));
    if (!type) return BadField(where, fmt::format("`{}.type` is missing", where));
    if (*type != "text") {
      return BadField(where + ".type", fmt::format("content of type `{}` is not supported by this "
                                                   "server; only `text` is",
                                                   *type));
    }
    JIKJI_ASSIGN(const auto piece, OptionalString(*part, "text", where));
    if (!piece) return BadField(where, fmt::format("`{}.text` is missing", where));
    if (i > 0) text += '\n';
    text += *piece;
  }
  return text;
}

ApiResult<std::string> ParseContent(const boost::json::object& message, const std::string& role,
                                    const std::string& path) {
  const boost::json::value* content = message.if_contains("content");
  if (content == nullptr || content->is_null()) {
    // An assistant's turn may be tool calls alone, or empty.
    if (role == "assistant") return std::string();
    return BadField(path + ".content", fmt::format("`{}.content` is missing", path));
  }
  if (const auto* text = content->if_string()) return NormalizeNfc(*text);
  if (const auto* parts = content->if_array()) {
    JIKJI_ASSIGN(const std::string text, JoinParts(*parts, path));
    return NormalizeNfc(text);
  }
  return BadField(path + ".content",
                  fmt::format("`{}.content` must be a string or a list of parts", path));
}

ApiResult<std::vector<ToolCall>> ParseToolCalls(const boost::json::object& message,
                                                const std::string& path) {
  std::vector<ToolCall> calls;
  JIKJI_ASSIGN(const boost::json::array* list, OptionalArray(message, "tool_calls", path));
  if (list == nullptr) return calls;
  if (list->size() > kMaxToolCalls) {
    return BadField(path + ".tool_calls",
                    fmt::format("`{}.tool_calls` takes at most {} calls", path, kMaxToolCalls));
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string where = fmt::format("{}.tool_calls[{}]", path, i);
    const boost::json::object* call = (*list)[i].if_object();
    if (call == nullptr) return BadField(where, fmt::format("`{}` must be an object", where));
    JIKJI_ASSIGN(const auto type, OptionalString(*call, "type", where));
    if (type && *type != "function") {
      return BadField(where + ".type", fmt::format("`{}.type` must be `function`", where));
    }
    JIKJI_ASSIGN(auto id, OptionalString(*call, "id", where));
    JIKJI_ASSIGN(const boost::json::object* function, OptionalObject(*call, "function", where));
    if (function == nullptr) {
      return BadField(where + ".function", fmt::format("`{}.function` is missing", where));
    }
    const std::string function_path = where + ".function";
    JIKJI_ASSIGN(auto name, OptionalString(*function, "name", function_path));
    JIKJI_ASSIGN(auto arguments, OptionalString(*function, "arguments", function_path));
    if (!name || name->empty()) {
      return BadField(function_path + ".name", fmt::format("`{}.name` is missing", function_path));
    }
    std::string text = NormalizeNfc(std::move(arguments).value_or("{}"));
    const auto parsed = ParseJson(text.empty() ? "{}" : text);
    if (!parsed || !parsed->is_object()) {
      return BadField(
          function_path + ".arguments",
          fmt::format("`{}.arguments` must be the JSON text of an object", function_path));
    }
    calls.push_back({std::move(id).value_or(""), std::move(*name),
                     text.empty() ? std::string("{}") : std::move(text)});
  }
  return calls;
}

ApiResult<std::optional<std::string>> NormalizedString(const boost::json::object& message,
                                                       std::string_view key,
                                                       const std::string& path) {
  JIKJI_ASSIGN(auto text, OptionalString(message, key, path));
  if (text) text = NormalizeNfc(*text);
  return text;
}

ApiResult<ChatMessage> ParseMessage(const boost::json::value& value, const std::string& path) {
  const boost::json::object* message = value.if_object();
  if (message == nullptr) return BadField(path, fmt::format("`{}` must be an object", path));
  ChatMessage result;
  JIKJI_ASSIGN(auto role, OptionalString(*message, "role", path));
  if (!role) return BadField(path + ".role", fmt::format("`{}.role` is missing", path));
  result.role = *role == "developer" ? "system" : std::move(*role);
  if (result.role != "system" && result.role != "user" && result.role != "assistant" &&
      result.role != "tool") {
    return BadField(
        path + ".role",
        fmt::format("`{}.role` must be system, developer, user, assistant or tool, not `{}`", path,
                    result.role));
  }
  for (const std::string_view key : {"function_call", "audio"}) {
    const boost::json::value* refused = message->if_contains(key);
    if (refused != nullptr && !refused->is_null()) {
      return BadField(fmt::format("{}.{}", path, key),
                      fmt::format("`{}.{}` is not supported by this server", path, key));
    }
  }
  JIKJI_ASSIGN(result.content, ParseContent(*message, result.role, path));
  JIKJI_ASSIGN(result.name, NormalizedString(*message, "name", path));
  JIKJI_ASSIGN(result.tool_call_id, NormalizedString(*message, "tool_call_id", path));
  JIKJI_ASSIGN(result.reasoning, NormalizedString(*message, "reasoning", path));
  if (!result.reasoning) {
    JIKJI_ASSIGN(result.reasoning, NormalizedString(*message, "reasoning_content", path));
  }
  JIKJI_ASSIGN(result.tool_calls, ParseToolCalls(*message, path));
  if (!result.tool_calls.empty() && result.role != "assistant") {
    return BadField(path + ".tool_calls", "only an assistant's message has `tool_calls`");
  }
  return result;
}

}  // namespace

ApiResult<std::vector<ChatMessage>> ParseChatMessages(const boost::json::object& body) {
  JIKJI_ASSIGN(const boost::json::array* list, OptionalArray(body, "messages"));
  if (list == nullptr) return BadField("messages", "`messages` is missing");
  if (list->empty()) return BadField("messages", "`messages` must hold at least one message");
  std::vector<ChatMessage> messages;
  messages.reserve(list->size());
  for (size_t i = 0; i < list->size(); ++i) {
    JIKJI_ASSIGN(ChatMessage message, ParseMessage((*list)[i], fmt::format("messages[{}]", i)));
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace jikji
