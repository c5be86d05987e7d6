// Bodies of /v1/chat/completions and /v1/completions: no crash, and what is accepted keeps its
// promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/api_error.h"
#include "api/chat_request.h"
#include "api/completion_request.h"
#include "base/utf8.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckCommon(const jikji::GenerationFields& fields) {
  Require(fields.n >= 1 && fields.n <= 128);
  Require(fields.stop.size() <= 4);
  for (const auto& stop : fields.stop) Require(!stop.empty() && jikji::IsValidUtf8(stop));
  if (fields.temperature) Require(*fields.temperature >= 0 && *fields.temperature <= 2);
  if (fields.max_tokens) Require(*fields.max_tokens >= 0);
}

void CheckError(const jikji::ApiError& error) {
  Require(error.status == 400 && !error.message.empty());
  Require(jikji::IsValidUtf8(error.ToJson()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto chat = jikji::ParseChatRequest(body)) {
    CheckCommon(chat->common);
    Require(!chat->turns.messages.empty());
    for (const auto& message : chat->turns.messages) {
      Require(jikji::IsValidUtf8(message.content));
      Require(message.role == "system" || message.role == "user" || message.role == "assistant" ||
              message.role == "tool");
    }
  } else {
    CheckError(chat.error());
  }
  if (const auto completion = jikji::ParseCompletionRequest(body)) {
    CheckCommon(completion->common);
    Require(!completion->prompts.empty());
  } else {
    CheckError(completion.error());
  }
  return 0;
}
