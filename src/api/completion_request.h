// POST /v1/completions: the body, checked.
#ifndef JIKJI_API_COMPLETION_REQUEST_H_
#define JIKJI_API_COMPLETION_REQUEST_H_

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/api_error.h"
#include "api/generation_fields.h"

namespace jikji {

// Text, in NFC, or token ids.
using CompletionPrompt = std::variant<std::string, std::vector<TokenId>>;

struct CompletionRequest {
  GenerationFields common;
  std::vector<CompletionPrompt> prompts;  // at least one
  bool add_special_tokens = true;
  bool echo = false;
  int32_t logprobs = -1;  // -1: none; else how many of the likeliest
  int32_t prompt_logprobs = -1;
};

ApiResult<CompletionRequest> ParseCompletionRequest(std::string_view body);

}  // namespace jikji

#endif  // JIKJI_API_COMPLETION_REQUEST_H_
