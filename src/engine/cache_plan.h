// How long a sequence may be and how many pages the KV cache has, from the model and the options.
#ifndef JIKJI_ENGINE_CACHE_PLAN_H_
#define JIKJI_ENGINE_CACHE_PLAN_H_

#include <cstdint>

#include "base/error.h"
#include "engine/engine.h"
#include "model/decoder_spec.h"

namespace jikji {

struct CachePlan {
  int64_t context = 0;  // tokens of one sequence
  int32_t pages = 0;
};

// context 0 becomes the model's own, or what kv_bytes hold if that is less. Never more pages than
// max_running sequences of `context` could use. An error where the context is beyond the model, or
// the memory does not hold one sequence of it.
Result<CachePlan> PlanCache(const DecoderSpec& spec, const EngineOptions& options);

}  // namespace jikji

#endif  // JIKJI_ENGINE_CACHE_PLAN_H_
