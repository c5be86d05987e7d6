// What the engine is asked for, and what it answers with.
#ifndef JIKJI_ENGINE_REQUEST_H_
#define JIKJI_ENGINE_REQUEST_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/decoder.h"
#include "text/tokenizer.h"

namespace jikji {

struct SamplingParams {
  double temperature = 1.0;  // 0: greedy
  int32_t top_k = 0;         // 0: off
  double top_p = 1.0;
  double min_p = 0.0;
  double repetition_penalty = 1.0;  // over prompt and output (Keskar et al. 2019)
  double presence_penalty = 0.0;    // over output, as OpenAI documents it
  double frequency_penalty = 0.0;
  std::vector<std::pair<TokenId, float>> logit_bias;
  uint64_t seed = 0;
};

struct GenerationRequest {
  std::string id;
  int32_t adapter = kBaseModel;  // the number of one of the model's adapters
  std::vector<TokenId> prompt;
  SamplingParams sampling;
  int32_t choices = 1;     // n
  int64_t max_tokens = 0;  // of each choice; 0 is allowed (scoring)
  int64_t min_tokens = 0;
  std::vector<std::string> stop;  // ends a choice; not part of its text
  std::vector<TokenId> stop_ids;  // likewise; the model's own eos ids included by the caller
  bool ignore_eos = false;        // stop_ids do not end a choice
  bool include_stop_text = false;
  bool skip_special = true;      // special tokens are not part of the text
  int32_t logprobs = -1;         // −1: none; k ≥ 0: the token's own and the k most likely
  int32_t prompt_logprobs = -1;  // likewise for each prompt token but the first
  // With prompt_logprobs: the first position that has one, at least 1. The tokens before it may
  // come from the prefix cache, so that many endings of one text cost that text once.
  int64_t first_prompt_logprob = 1;
};

struct TokenLogprob {
  TokenId token = 0;
  float logprob = 0;
  std::vector<std::pair<TokenId, float>> top;  // most likely first
};

enum class FinishReason { kStop, kLength, kCancelled, kError };

// What happened to one choice in one step. Deltas of a choice come in order, from the engine's
// thread; the last has `finish`. The receiver must not block.
struct Delta {
  int32_t choice = 0;
  std::string text;  // whole characters only
  std::vector<TokenId>
      tokens;  // sampled since the delta before; those whose text is held back included
  std::vector<TokenLogprob> logprobs;         // one for each of `tokens`, if asked for
  std::vector<TokenLogprob> prompt_logprobs;  // in the first delta of choice 0, if asked for
  std::optional<FinishReason> finish;
  std::optional<Error> error;  // with kError
  std::string stop_match;      // the stop string that matched, if any

  // Of the prompt, what this choice found in the prefix cache.
  int64_t cached_tokens = 0;

  // With `finish`, the engine's own count.
  int64_t prompt_tokens = 0;
  int64_t output_tokens = 0;
};

using DeltaSink = std::function<void(Delta)>;

}  // namespace jikji

#endif  // JIKJI_ENGINE_REQUEST_H_
