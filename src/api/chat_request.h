// POST /v1/chat/completions: the body, checked.
#ifndef JIKJI_API_CHAT_REQUEST_H_
#define JIKJI_API_CHAT_REQUEST_H_

#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api_error.h"
#include "api/generation_fields.h"

namespace jikji {

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text of an object
};

// All text is in NFC.
struct ChatMessage {
  std::string role;     // system, user, assistant or tool; developer has become system
  std::string content;  // parts are joined by line feeds
  std::optional<std::string> name, tool_call_id, reasoning;
  std::vector<ToolCall> tool_calls;  // of an assistant's earlier turn
};

// What a chat template renders.
struct ChatTurns {
  std::vector<ChatMessage> messages;  // at least one
  // chat_template_kwargs and reasoning_effort; nullptr where there are none.
  std::shared_ptr<const boost::json::object> template_variables;
  bool add_generation_prompt = true;
  bool continue_final_message = false;
  bool add_special_tokens = false;  // what the tokenizer adds by itself, beside the template
};

struct ChatRequest {
  GenerationFields common;
  ChatTurns turns;
  int32_t logprobs = -1;  // -1: none; else how many of the likeliest
};

ApiResult<ChatRequest> ParseChatRequest(std::string_view body);

// The fields of ChatTurns alone, for /tokenize too.
ApiResult<ChatTurns> ParseChatTurns(const boost::json::object& body);

}  // namespace jikji

#endif  // JIKJI_API_CHAT_REQUEST_H_
