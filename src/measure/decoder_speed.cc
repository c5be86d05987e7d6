#include "measure/decoder_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <vector>

namespace jikji::measure {
namespace {

// Sequences of equal length with their pages, and random tokens to feed them.
class Workload {
 public:
  static Result<Workload> Make(Decoder& decoder, int64_t streams, int64_t length,
                               const SpeedOptions& options) {
    if (length > decoder.spec().max_position) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} tokens do not fit the model's context of {}; ask for fewer",
                              length, decoder.spec().max_position));
    }
    Workload work(decoder, options);
    const int32_t page_tokens = EngineOptions{}.page_tokens;
    const auto pages = static_cast<int32_t>((length + page_tokens - 1) / page_tokens);
    JIKJI_ASSIGN(work.cache_, decoder.MakeCache(static_cast<int32_t>(streams) * pages, page_tokens,
                                                options.kv_dtype));
    work.tables_.resize(static_cast<size_t>(streams));
    for (size_t s = 0; s < work.tables_.size(); ++s) {
      work.tables_[s].resize(static_cast<size_t>(pages));
      std::iota(work.tables_[s].begin(), work.tables_[s].end(), static_cast<int32_t>(s) * pages);
    }
    return work;
  }

  // Random keys and values at positions [0, count) of every sequence: a step costs the same
  // whatever they are, and a real prefill of many long sequences would take minutes.
  void Fill(int64_t count, ThreadPool& pool) {
    const DecoderSpec& spec = decoder_->spec();
    const auto row = static_cast<size_t>(spec.kv_heads * spec.head_dim);
    std::vector<float> values(static_cast<size_t>(step_tokens_) * row);
    std::normal_distribution<float> normal;
    for (float& value : values) value = normal(random_);
    for (size_t layer = 0; layer < spec.layers.size(); ++layer) {
      for (const auto& table : tables_) {
        for (int64_t done = 0; done < count; done += step_tokens_) {
          const kernels::AttentionSlice slice = {
              .first_row = 0,
              .tokens = static_cast<int32_t>(std::min<int64_t>(step_tokens_, count - done)),
              .start = static_cast<int32_t>(done),
              .pages = table};
          kernels::StoreKv(cache_.Layer(layer), {&slice, 1}, values.data(), values.data(), pool);
        }
      }
    }
  }

  // `count` tokens from position `start` of the first sequence, in steps.
  Result<> Prefill(int64_t start, int64_t count, ThreadPool& pool) {
    for (int64_t done = 0; done < count;) {
      const auto tokens = static_cast<int32_t>(std::min<int64_t>(step_tokens_, count - done));
      JIKJI_RETURN_IF_ERROR(Step({{.first_row = 0,
                                   .tokens = tokens,
                                   .start = static_cast<int32_t>(start + done),
                                   .pages = tables_[0]}},
                                 pool));
      done += tokens;
    }
    return {};
  }

  // One token of every sequence at `position`.
  Result<> Decode(int64_t position, ThreadPool& pool) {
    std::vector<kernels::AttentionSlice> slices;
    for (size_t s = 0; s < tables_.size(); ++s) {
      slices.push_back({.first_row = static_cast<int32_t>(s),
                        .tokens = 1,
                        .start = static_cast<int32_t>(position),
                        .pages = tables_[s]});
    }
    return Step(slices, pool);
  }

 private:
  Workload(Decoder& decoder, const SpeedOptions& options)
      : decoder_(&decoder), step_tokens_(options.step_tokens) {}

  Result<> Step(const std::vector<kernels::AttentionSlice>& slices, ThreadPool& pool) {
    const auto vocab = static_cast<size_t>(decoder_->spec().vocab);
    std::vector<int32_t> tokens(
        static_cast<size_t>(slices.back().first_row + slices.back().tokens));
    for (int32_t& token : tokens) token = static_cast<int32_t>(random_() % vocab);
    std::vector<int32_t> wanted;
    for (const auto& slice : slices) wanted.push_back(slice.first_row + slice.tokens - 1);
    logits_.resize(wanted.size() * vocab);
    return decoder_->Forward({.tokens = tokens, .slices = slices, .logit_rows = wanted}, cache_,
                             logits_, pool);
  }

  Decoder* decoder_;
  int32_t step_tokens_;
  KvCache cache_;
  std::vector<std::vector<int32_t>> tables_;
  std::vector<float> logits_;
  std::mt19937_64 random_{1};
};

template <class Run>
Result<double> MedianRate(int64_t repeat, int64_t tokens, const Run& run) {
  std::vector<double> rates;
  for (int64_t i = 0; i < repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    JIKJI_RETURN_IF_ERROR(run());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    rates.push_back(static_cast<double>(tokens) / took.count());
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

}  // namespace

Result<double> PrefillSpeed(Decoder& decoder, int64_t tokens, const SpeedOptions& options,
                            ThreadPool& pool) {
  JIKJI_ASSIGN(Workload work, Workload::Make(decoder, 1, options.depth + tokens, options));
  work.Fill(options.depth + tokens, pool);
  JIKJI_RETURN_IF_ERROR(
      work.Prefill(options.depth, std::min<int64_t>(options.step_tokens, tokens), pool));
  return MedianRate(options.repeat, tokens,
                    [&] { return work.Prefill(options.depth, tokens, pool); });
}

Result<double> DecodeSpeed(Decoder& decoder, int64_t streams, const SpeedOptions& options,
                           ThreadPool& pool) {
  JIKJI_ASSIGN(Workload work,
               Workload::Make(decoder, streams, options.depth + options.generate, options));
  work.Fill(options.depth + options.generate, pool);
  JIKJI_RETURN_IF_ERROR(work.Decode(options.depth, pool));
  return MedianRate(options.repeat, streams * options.generate, [&]() -> Result<> {
    for (int64_t i = 0; i < options.generate; ++i) {
      JIKJI_RETURN_IF_ERROR(work.Decode(options.depth + i, pool));
    }
    return {};
  });
}

}  // namespace jikji::measure
