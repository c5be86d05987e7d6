#include "measure/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/engine.h"

namespace jikji::measure {
namespace {

// −ln p(target), over one row of logits. Sums in f64: the vocabulary is large.
double NegativeLogProbability(std::span<const float> logits, int32_t target) {
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit - most));
  return std::log(sum) - static_cast<double>(logits[static_cast<size_t>(target)] - most);
}

// Reads windows one after the other into the same pages.
class WindowReader {
 public:
  static Result<WindowReader> Make(Decoder& decoder, const PerplexityOptions& options) {
    WindowReader reader(decoder, options.window);
    const int32_t page_tokens = EngineOptions{}.page_tokens;
    const int32_t pages = (options.window + page_tokens - 1) / page_tokens;
    JIKJI_ASSIGN(reader.cache_, decoder.MakeCache(pages, page_tokens, options.kv_dtype));
    reader.pages_.resize(static_cast<size_t>(pages));
    std::iota(reader.pages_.begin(), reader.pages_.end(), 0);
    return reader;
  }

  // The logits of rows [window / 2, window − 1), as they predict the row after.
  Result<std::span<const float>> Read(std::span<const int32_t> tokens, ThreadPool& pool) {
    const int32_t step = EngineOptions{}.step_tokens;
    const auto vocab = static_cast<size_t>(decoder_->spec().vocab);
    const int32_t first = window_ / 2, last = window_ - 1;
    logits_.resize(static_cast<size_t>(last - first) * vocab);
    size_t filled = 0;
    for (int32_t start = 0; start < last; start += step) {
      const int32_t end = std::min(start + step, last);
      std::vector<int32_t> rows;
      for (int32_t row = std::max(start, first); row < end; ++row) rows.push_back(row - start);
      const kernels::AttentionSlice slice = {
          .first_row = 0, .tokens = end - start, .start = start, .pages = pages_};
      const size_t count = rows.size() * vocab;
      JIKJI_RETURN_IF_ERROR(decoder_->Forward(
          {.tokens = tokens.subspan(static_cast<size_t>(start), static_cast<size_t>(end - start)),
           .slices = {&slice, 1},
           .logit_rows = rows},
          cache_, std::span(logits_).subspan(filled, count), pool));
      filled += count;
    }
    return logits_;
  }

 private:
  WindowReader(Decoder& decoder, int32_t window) : decoder_(&decoder), window_(window) {}

  Decoder* decoder_;
  int32_t window_;
  KvCache cache_;
  std::vector<int32_t> pages_;
  std::vector<float> logits_;
};

}  // namespace

Result<Perplexity> MeasurePerplexity(Decoder& decoder, std::span<const int32_t> tokens,
                                     const PerplexityOptions& options, ThreadPool& pool,
                                     const std::function<void(double)>& progress) {
  if (options.window < 4 || options.window % 2 != 0 ||
      options.window > decoder.spec().max_position) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a window of {} tokens; it must be even, from 4 to the model's context "
                            "of {}",
                            options.window, decoder.spec().max_position));
  }
  const auto window = static_cast<size_t>(options.window);
  if (tokens.size() < 2 * window) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("the text has {} tokens; two windows of {} are needed", tokens.size(), window));
  }
  Perplexity result;
  result.windows = static_cast<int64_t>(tokens.size() / window);
  if (options.most_windows > 0) result.windows = std::min(result.windows, options.most_windows);
  JIKJI_ASSIGN(WindowReader reader, WindowReader::Make(decoder, options));
  const auto vocab = static_cast<size_t>(decoder.spec().vocab);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < result.windows; ++i) {
    const auto text = tokens.subspan(static_cast<size_t>(i) * window, window);
    std::vector<int32_t> read(text.begin(), text.end());
    if (options.bos) read[0] = *options.bos;
    JIKJI_ASSIGN(const std::span<const float> logits, reader.Read(read, pool));
    for (size_t row = 0; row < logits.size() / vocab; ++row) {
      const double surprise =
          NegativeLogProbability(logits.subspan(row * vocab, vocab), text[window / 2 + row + 1]);
      sum += surprise;
      squares += surprise * surprise;
      ++result.scored;
    }
    if (progress) progress(static_cast<double>(i + 1) / static_cast<double>(result.windows));
  }
  const auto count = static_cast<double>(result.scored);
  const double mean = sum / count;
  const double variance = std::max(0.0, squares / count - mean * mean);
  result.perplexity = std::exp(mean);
  result.standard_error = count > 1 ? result.perplexity * std::sqrt(variance / (count - 1)) : 0;
  return result;
}

}  // namespace jikji::measure
