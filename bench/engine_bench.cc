// What the engine costs beside the model: sampling from a large vocabulary, a step's bookkeeping,
// and the built-in model's tokens per second through the whole of it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "engine/sampler.h"
#include "model/model.h"

namespace jikji {
namespace {

// Qwen 2.5's vocabulary.
constexpr size_t kVocab = 151936;

std::vector<float> Logits(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 2.5f);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

void BM_Sample(benchmark::State& state, const SamplingParams& params, int32_t logprobs) {
  const std::vector<float> logits = Logits(kVocab);
  GenerationRequest request;
  request.sampling = params;
  request.logprobs = logprobs;
  request.prompt.resize(1000, 7);
  Sampler sampler(request, 0);
  SamplerScratch scratch;
  std::vector<float> row = logits;
  for (auto _ : state) {
    auto next = sampler.Next(row, scratch);
    benchmark::DoNotOptimize(next);
  }
}
BENCHMARK_CAPTURE(BM_Sample, greedy, {.temperature = 0}, -1);
BENCHMARK_CAPTURE(BM_Sample, temperature, {}, -1);
BENCHMARK_CAPTURE(BM_Sample, top_k_40, {.top_k = 40}, -1);
BENCHMARK_CAPTURE(BM_Sample, top_p_0_9, {.top_p = 0.9}, -1);
BENCHMARK_CAPTURE(BM_Sample, top_k_40_top_p_0_9, {.top_k = 40, .top_p = 0.9}, -1);
BENCHMARK_CAPTURE(BM_Sample, min_p_0_05, {.min_p = 0.05}, -1);
BENCHMARK_CAPTURE(BM_Sample, greedy_logprobs_5, {.temperature = 0}, 5);

// Computes nothing: what is left is the engine.
class NullDecoder : public Decoder {
 public:
  NullDecoder() {
    spec_.heads = spec_.kv_heads = 1;
    spec_.head_dim = spec_.hidden = spec_.intermediate = 8;
    spec_.vocab = 4096;
    spec_.max_position = 4096;
    spec_.layers.resize(1);
  }
  const DecoderSpec& spec() const override { return spec_; }
  Result<> Forward(const Batch&, KvCache&, std::span<float> logits, ThreadPool&) override {
    std::fill(logits.begin(), logits.end(), 0.0f);
    return {};
  }

 private:
  DecoderSpec spec_;
};

// Runs the requests at once; returns when all have ended.
void RunTogether(Engine& engine, std::vector<GenerationRequest> requests) {
  std::atomic<size_t> left = requests.size();
  LocalPolicy policy;
  for (GenerationRequest& request : requests) {
    auto ticket = policy.Admit({.tenant = {},
                                .prompt_tokens = static_cast<int64_t>(request.prompt.size()),
                                .max_output_tokens = request.max_tokens,
                                .cache_salt = {}});
    const auto submitted =
        engine.Submit(std::move(*ticket), std::move(request), [&left](Delta delta) {
          if (delta.finish && left.fetch_sub(1) == 1) left.notify_one();
        });
    if (!submitted) std::abort();
  }
  while (const size_t now = left.load()) left.wait(now);
}

// `streams` requests of `tokens` at once.
void RunStreams(Engine& engine, int64_t streams, int64_t tokens, double temperature) {
  std::vector<GenerationRequest> requests(static_cast<size_t>(streams));
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = std::to_string(i);
    requests[i].prompt.assign(32, static_cast<TokenId>(100 + i));
    requests[i].max_tokens = tokens;
    requests[i].ignore_eos = true;
    requests[i].sampling.temperature = temperature;
  }
  RunTogether(engine, std::move(requests));
}

std::unique_ptr<Engine> StartBuiltIn(bool null_decoder, bool prefix_cache = true) {
  auto model = LoadModel(JIKJI_SOURCE_DIR "/models/jikji-mini-ko");
  if (!model) std::abort();
  if (null_decoder) model->decoder = std::make_unique<NullDecoder>();
  EngineOptions options;
  options.threads = null_decoder ? 1 : 0;
  options.prefix_cache = prefix_cache;
  auto engine = Engine::Start(std::move(*model), options);
  if (!engine) std::abort();
  return std::move(*engine);
}

void BM_Stream(benchmark::State& state, bool null_decoder, double temperature) {
  const auto engine = StartBuiltIn(null_decoder);
  constexpr int64_t kTokens = 128;
  const int64_t streams = state.range(0);
  const int64_t steps = engine->stats().steps;
  for (auto _ : state) RunStreams(*engine, streams, kTokens, temperature);
  const auto tokens = static_cast<double>(state.iterations() * streams * kTokens);
  state.counters["tokens/s"] = benchmark::Counter(tokens, benchmark::Counter::kIsRate);
  state.counters["s/step"] =
      benchmark::Counter(static_cast<double>(engine->stats().steps - steps),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(BM_Stream, bookkeeping, true, 0.0)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(BM_Stream, builtin_greedy, false, 0.0)->Arg(1)->Arg(8)->Arg(32)->UseRealTime();
BENCHMARK_CAPTURE(BM_Stream, builtin_sampled, false, 0.8)->Arg(1)->Arg(8)->UseRealTime();

// Prompts of 1,024 tokens that have no beginning in common: what the prefix cache costs where it
// finds nothing. The built-in model is the worst case, since its own tokens are the cheapest.
void BM_Unlike(benchmark::State& state, bool null_decoder, bool prefix_cache) {
  const auto engine = StartBuiltIn(null_decoder, prefix_cache);
  constexpr size_t kPrompts = 8, kTokens = 1024;
  std::mt19937 random(9);
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<GenerationRequest> requests(kPrompts);
    for (size_t i = 0; i < kPrompts; ++i) {
      requests[i].id = std::to_string(i);
      for (size_t t = 0; t < kTokens; ++t) {
        requests[i].prompt.push_back(static_cast<TokenId>(random() % 4096));
      }
      requests[i].max_tokens = 1;
    }
    state.ResumeTiming();
    RunTogether(*engine, std::move(requests));
  }
  if (engine->stats().prefix_hits > 0) state.SkipWithError("prompts were alike");
  state.counters["s/token"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kPrompts * kTokens),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(BM_Unlike, bookkeeping_cache_off, true, false)->UseRealTime();
BENCHMARK_CAPTURE(BM_Unlike, bookkeeping_cache_on, true, true)->UseRealTime();
BENCHMARK_CAPTURE(BM_Unlike, builtin_cache_off, false, false)->UseRealTime();
BENCHMARK_CAPTURE(BM_Unlike, builtin_cache_on, false, true)->UseRealTime();

}  // namespace
}  // namespace jikji
