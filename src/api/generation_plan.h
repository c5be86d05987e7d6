// From checked fields and a prompt to what the engine is asked for: defaults filled in, limits
// checked against the model.
#ifndef JIKJI_API_GENERATION_PLAN_H_
#define JIKJI_API_GENERATION_PLAN_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/api_error.h"
#include "api/generation_fields.h"
#include "engine/request.h"
#include "model/model.h"

namespace jikji {

// What the request says; else what the model's makers say; else nothing that shapes the
// distribution. Greedy where the makers say `do_sample: false` and the request names no
// temperature.
SamplingParams ResolveSampling(const GenerationFields& fields, const GenerationDefaults& defaults);

// `context` is the most tokens of prompt and output together; `prompt_field` names the prompt in
// errors. The id and logprobs are left to the caller.
ApiResult<GenerationRequest> PlanGeneration(const GenerationFields& fields,
                                            const ModelDescription& model, int64_t context,
                                            std::vector<TokenId> prompt,
                                            std::string_view prompt_field);

}  // namespace jikji

#endif  // JIKJI_API_GENERATION_PLAN_H_
