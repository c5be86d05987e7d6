// Whether a request may enter: it fits its ticket, the vocabulary and the cache, and its parameters
// are numbers that sampling is defined for.
#ifndef JIKJI_ENGINE_REQUEST_CHECK_H_
#define JIKJI_ENGINE_REQUEST_CHECK_H_

#include <cstdint>

#include "base/error.h"
#include "engine/request.h"
#include "engine/ticket.h"

namespace jikji {

// Bounds on what one request may cost beyond its tokens.
inline constexpr int32_t kMostChoices = 128;   // OpenAI's n
inline constexpr int32_t kMostLogprobs = 128;  // entries kept for each token
inline constexpr size_t kMostStopStrings = 64;
inline constexpr size_t kMostStopBytes = 16384;  // of all stop strings together

struct EngineBounds {
  int64_t vocab = 0;
  int64_t context = 0;
  int32_t pages = 0;  // of the whole cache
  int32_t page_tokens = 0;
  int32_t adapters = 0;  // that the model has
};

// Every failure is kInvalidArgument; `where` names the field.
Result<> CheckRequest(const GenerationRequest& request, const Ticket& ticket,
                      const EngineBounds& bounds);

}  // namespace jikji

#endif  // JIKJI_ENGINE_REQUEST_CHECK_H_
