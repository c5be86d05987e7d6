// A call's prompts, checked and encoded, as the engine is asked for them. What a request and a
// moment come to here is the same whenever it is asked: `jikji replay` depends on it.
#ifndef JIKJI_API_GENERATION_JOBS_H_
#define JIKJI_API_GENERATION_JOBS_H_

#include <cstdint>
#include <vector>

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/context.h"
#include "api/generation.h"

namespace jikji {

// `adapter`: of the model that was asked for. `now`: UTC seconds since 1970, for templates that
// print the date.
ApiResult<std::vector<PromptJob>> PlanJobs(const ApiContext& context, int32_t adapter,
                                           const ChatRequest& request, int64_t now);
ApiResult<std::vector<PromptJob>> PlanJobs(const ApiContext& context, int32_t adapter,
                                           const CompletionRequest& request);

}  // namespace jikji

#endif  // JIKJI_API_GENERATION_JOBS_H_
