// Tokens per second of a decoder alone: a prefill by its length, a decode by its number of streams.
//
// Contract: a figure is the median of whole runs after one step to warm up. Tokens are random,
// nothing is sampled, and only the last row of each sequence asks for logits, as llama-bench does
// it. Every page of the KV cache that a step reads was written before: pages that never were are
// all one page to the system, and would be read from the processor's cache. Non-goals: the engine
// and the server (load_run.h).
#ifndef JIKJI_MEASURE_DECODER_SPEED_H_
#define JIKJI_MEASURE_DECODER_SPEED_H_

#include <cstdint>

#include "base/error.h"
#include "base/thread_pool.h"
#include "engine/engine.h"
#include "model/decoder.h"

namespace jikji::measure {

struct SpeedOptions {
  int64_t depth = 0;      // tokens of each sequence that are in the cache already
  int64_t generate = 64;  // tokens that each stream of a decode adds
  int64_t repeat = 3;     // runs of which the median is told
  DType kv_dtype = DType::kF16;
  int32_t step_tokens = EngineOptions{}.step_tokens;  // of a prefill
};

// An error where depth and tokens are more than the model's context, or memory is short.
Result<double> PrefillSpeed(Decoder& decoder, int64_t tokens, const SpeedOptions& options,
                            ThreadPool& pool);

// Of all streams together.
Result<double> DecodeSpeed(Decoder& decoder, int64_t streams, const SpeedOptions& options,
                           ThreadPool& pool);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_DECODER_SPEED_H_
