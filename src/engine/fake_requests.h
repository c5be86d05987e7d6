// For tests: small options, and requests for the model of fake_model.h.
#ifndef JIKJI_ENGINE_FAKE_REQUESTS_H_
#define JIKJI_ENGINE_FAKE_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "engine/fake_model.h"

namespace jikji {

inline EngineOptions SmallOptions() {
  EngineOptions options;
  options.threads = 1;
  options.context = 128;
  options.page_tokens = 4;
  options.max_running = 4;
  options.step_tokens = 16;
  options.max_queued = 16;
  return options;
}

// Sampled, and ended by its limit alone.
inline GenerationRequest Request(const std::string& id, size_t prompt = 10,
                                 int64_t max_tokens = 12) {
  GenerationRequest request;
  request.id = id;
  for (size_t i = 0; i < prompt; ++i) {
    request.prompt.push_back(static_cast<TokenId>(10 + (i * 7 + id.size() * 31 + id.back()) % 200));
  }
  request.max_tokens = max_tokens;
  request.ignore_eos = true;
  request.sampling.seed = 5;
  request.sampling.logit_bias = {{FakeDecoder::kPoison, -100.0f}};
  return request;
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_FAKE_REQUESTS_H_
