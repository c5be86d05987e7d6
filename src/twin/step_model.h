// How long one step of continuous batching takes: linear in what it does.
//
// base + sequence · running + context · tokens in the KV cache + prompt · tokens of prompt
// + attention · tokens before each of these. The first three are decode, which reads weights and
// caches; the others are compute. Fitted to measured serving points of one configuration by least
// squares with no negative term; points that differ little in length do not tell attention apart
// from prompt, so it stays 0 there.
#ifndef JIKJI_TWIN_STEP_MODEL_H_
#define JIKJI_TWIN_STEP_MODEL_H_

#include <span>

#include "base/error.h"

namespace jikji::twin {

struct StepModel {
  double base_s = 0;
  double sequence_s = 0;
  double context_s = 0;    // for each token in the cache of the batch
  double prompt_s = 0;     // for each token of prompt
  double attention_s = 0;  // for each token of prompt and each token before it

  // Seconds that the last `uncached` tokens of a prompt add to steps.
  double PromptSeconds(double uncached, double prompt) const {
    return uncached * (prompt_s + attention_s * (prompt - uncached / 2));
  }
  double DecodeSeconds(double running, double kv_tokens) const {
    return base_s + sequence_s * running + context_s * kv_tokens;
  }
};

// A closed loop of `concurrency` requests, measured.
struct ServingPoint {
  double concurrency = 0;
  double prompt_tokens = 0;
  double output_tokens = 0;
  double ttft_s = 0;
  double tpot_s = 0;
};

// Needs at least four points.
Result<StepModel> FitStepModel(std::span<const ServingPoint> points);

// Time per output token in the steady state of such a loop: each step also computes the prompts of
// those that take the places of the finished.
double SteadyTpot(const StepModel& model, double concurrency, double prompt_tokens,
                  double output_tokens);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_STEP_MODEL_H_
