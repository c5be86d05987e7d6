// Perplexity of a text: how well a model expects each of its tokens (lower is better).
//
// The method is llama.cpp's `llama-perplexity`, so that its figures can be compared: the text is
// cut into windows of as many tokens; each is read alone, its first token replaced by BOS where the
// tokenizer adds one; the tokens of its second half but the first are scored; what is left over at
// the end is not. Non-goals: other strides, tasks.
#ifndef JIKJI_MEASURE_PERPLEXITY_H_
#define JIKJI_MEASURE_PERPLEXITY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/thread_pool.h"
#include "model/decoder.h"

namespace jikji::measure {

struct PerplexityOptions {
  int32_t window = 512;             // tokens; even, at least 4
  int64_t most_windows = 0;         // 0: all
  std::optional<int32_t> bos = {};  // set where the tokenizer adds it
  DType kv_dtype = DType::kF16;
};

struct Perplexity {
  double perplexity = 0;
  double standard_error = 0;  // of the perplexity
  int64_t windows = 0;
  int64_t scored = 0;  // tokens
};

// An error where the text has fewer tokens than two windows. `progress`, if given, is called with a
// share from 0 to 1.
Result<Perplexity> MeasurePerplexity(Decoder& decoder, std::span<const int32_t> tokens,
                                     const PerplexityOptions& options, ThreadPool& pool,
                                     const std::function<void(double)>& progress = {});

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_PERPLEXITY_H_
