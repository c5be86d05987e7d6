// Tokens chosen on a device, here the emulated one, beside the processor's sampler: the same token
// from the same logits, whatever is asked for.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "base/test_rounds.h"
#include "engine/engine.h"
#include "engine/gpu_model.h"
#include "engine/sampler.h"
#include "engine/test_client.h"
#include "kernels/gpu/choose.h"
#include "kernels/gpu/gpu_test.h"

namespace jikji {
namespace {

using kernels::LogitAdjustment;

// Normal logits; every second time of few distinct values, so that ties lie across every border.
std::vector<float> Logits(size_t count, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 1.0f + static_cast<float>(random() % 4));
  const bool ties = random() % 2 == 0;
  std::vector<float> out(count);
  for (float& logit : out) {
    logit = normal(random);
    if (ties) logit = std::round(logit * 2) / 2;
  }
  return out;
}

// Anything that a request may ask for, each with a chance to be off.
GenerationRequest AnyRequest(int32_t vocab, std::mt19937& random) {
  const auto chance = [&] { return random() % 2 == 0; };
  const auto token = [&] { return static_cast<TokenId>(random() % static_cast<uint32_t>(vocab)); };
  const auto share = [&] { return static_cast<double>(1 + random() % 999) / 1000; };
  GenerationRequest request;
  SamplingParams& params = request.sampling;
  params.seed = random();
  params.temperature =
      random() % 5 == 0 ? 0 : std::exp2(static_cast<double>(random() % 90) / 10 - 5);
  if (chance())
    params.top_k = static_cast<int32_t>(1 + random() % static_cast<uint32_t>(2 * vocab));
  if (random() % 4 == 0) params.top_k = 1;
  if (chance()) params.top_p = share();
  if (random() % 8 == 0) params.top_p = 1e-9;
  if (random() % 8 == 0) params.top_p = 1 - 1e-13;
  if (chance()) params.min_p = share() * share();
  if (random() % 8 == 0) params.min_p = 1;
  if (chance()) params.repetition_penalty = 0.5 + share();
  if (chance()) params.presence_penalty = share() - 0.5;
  if (chance()) params.frequency_penalty = share() - 0.5;
  for (uint32_t i = random() % 20; i > 0; --i) request.prompt.push_back(token());
  if (chance() && vocab > 4) {
    request.stop_ids = {token(), token()};
    request.min_tokens = 3;
  }
  if (chance()) params.logit_bias = {{token(), static_cast<float>(share() * 8 - 4)}};
  return request;
}

// Rows of a launch, as GpuDecoder sends them.
struct Launch {
  std::vector<float> logits;
  std::vector<kernels::gpu::ChooseRow> rows;
  std::vector<LogitAdjustment> adjustments;

  void Add(std::span<const float> row, size_t stride, const RowChoice& choice) {
    rows.push_back({.params = choice.params,
                    .row = static_cast<int32_t>(logits.size() / stride),
                    .first_adjustment = static_cast<int32_t>(adjustments.size()),
                    .adjustments = static_cast<int32_t>(choice.adjustments.size()),
                    .vocab = choice.vocab});
    adjustments.insert(adjustments.end(), choice.adjustments.begin(), choice.adjustments.end());
    logits.insert(logits.end(), row.begin(), row.end());
    logits.resize(rows.size() * stride, std::numeric_limits<float>::quiet_NaN());
  }

  std::vector<int32_t> Run(device::Device& device, size_t stride) const {
    namespace gpu = kernels::gpu;
    std::vector<LogitAdjustment> some = adjustments;
    some.resize(some.size() + 1);
    const auto logits_on = gpu::Upload(device, logits);
    const auto rows_on = gpu::Upload(device, rows);
    const auto adjustments_on = gpu::Upload(device, some);
    const auto tokens = gpu::Poisoned<int32_t>(device, static_cast<int64_t>(rows.size()));
    const auto launched = device.Launch(gpu::jikji_choose, {static_cast<uint32_t>(rows.size()), 1},
                                        {.logits = logits_on.As<float>(),
                                         .rows = rows_on.As<gpu::ChooseRow>(),
                                         .adjustments = adjustments_on.As<LogitAdjustment>(),
                                         .tokens = tokens.As<int32_t>(),
                                         .stride = static_cast<int64_t>(stride)});
    EXPECT_TRUE(launched) << launched.error().ToString();
    return gpu::Download<int32_t>(device, tokens);
  }
};

TEST(GpuEngineChoice, TokensAreTheProcessorsWhateverIsAskedFor) {
  const auto device = kernels::gpu::TestDevice();
  std::mt19937 random(11 + kernels::gpu::TestSeed());
  SamplerScratch scratch;
  int sampled = 0, adjusted = 0;
  for (int round = TestRounds(12); round > 0; --round) {
    const size_t vocab = round % 3 == 0 ? 1 + random() % 40 : 1 + random() % 4000;
    const size_t stride = vocab + random() % 3;
    constexpr size_t kRows = 16;
    std::vector<GenerationRequest> requests;
    for (size_t i = 0; i < kRows; ++i) {
      requests.push_back(AnyRequest(static_cast<int32_t>(vocab), random));
    }
    std::vector<Sampler> processor, decoder;
    for (const GenerationRequest& request : requests) {
      processor.emplace_back(request, 1);
      decoder.emplace_back(request, 1);
    }
    for (int position = 0; position < 4; ++position) {
      Launch launch;
      std::vector<std::vector<LogitAdjustment>> adjustments(kRows);
      std::vector<RowChoice> choices(kRows);
      std::vector<std::vector<float>> rows;
      for (size_t i = 0; i < kRows; ++i) {
        rows.push_back(Logits(vocab, random));
        ASSERT_TRUE(
            decoder[i].Describe(0, {}, static_cast<int64_t>(vocab), adjustments[i], choices[i]));
        launch.Add(rows[i], stride, choices[i]);
      }
      const std::vector<int32_t> tokens = launch.Run(*device, stride);
      for (size_t i = 0; i < kRows; ++i) {
        const auto wanted = processor[i].Next(rows[i], scratch);
        choices[i].outcome =
            tokens[i] >= 0 ? RowChoice::Outcome::kToken : RowChoice::Outcome::kNothingLeft;
        choices[i].token = tokens[i];
        const auto taken = decoder[i].Take(choices[i]);
        ASSERT_EQ(wanted.has_value(), taken.has_value()) << tokens[i];
        if (!wanted) continue;
        const SamplingParams& params = requests[i].sampling;
        ASSERT_EQ(taken->token, wanted->token)
            << "vocabulary " << vocab << ", temperature " << params.temperature << ", top_k "
            << params.top_k << ", top_p " << params.top_p << ", min_p " << params.min_p;
        sampled += params.temperature > 0 ? 1 : 0;
        adjusted += adjustments[i].empty() ? 0 : 1;
      }
    }
  }
  EXPECT_GT(sampled, 0);
  EXPECT_GT(adjusted, 0);
}

// Of a draft: as if the ones before it had been put out.
TEST(GpuEngineChoice, WhatIsAheadCountsAsPutOut) {
  std::mt19937 random(12);
  for (int round = 0; round < 50; ++round) {
    const GenerationRequest request = AnyRequest(30, random);
    Sampler sampler(request, 0), later(request, 0);
    const std::vector<TokenId> ahead = {3, 7, 3, static_cast<TokenId>(random() % 30)};
    for (const TokenId token : ahead) {
      RowChoice choice;
      choice.outcome = RowChoice::Outcome::kToken;
      choice.token = token;
      ASSERT_TRUE(later.Take(choice));
    }
    std::vector<LogitAdjustment> guessed, known;
    RowChoice a, b;
    ASSERT_TRUE(sampler.Describe(0, ahead, 30, guessed, a));
    ASSERT_TRUE(later.Describe(0, {}, 30, known, b));
    EXPECT_EQ(a.params.random, b.params.random);
    ASSERT_EQ(guessed.size(), known.size());
    for (size_t i = 0; i < known.size(); ++i) {
      EXPECT_EQ(guessed[i].token, known[i].token);
      EXPECT_EQ(guessed[i].masked, known[i].masked);
      EXPECT_EQ(guessed[i].bias, known[i].bias);
      EXPECT_EQ(guessed[i].repeated, known[i].repeated);
      EXPECT_EQ(guessed[i].penalty, known[i].penalty);
    }
  }
}

TEST(GpuEngineChoice, WhatADecoderCannotChooseIsLeftToTheSampler) {
  std::vector<LogitAdjustment> adjustments;
  RowChoice choice;
  GenerationRequest request;
  request.logprobs = 0;
  EXPECT_FALSE(Sampler(request, 0).Describe(0, {}, 100, adjustments, choice));
  request.logprobs = -1;
  EXPECT_FALSE(
      Sampler(request, 0).Describe(0, {}, kernels::kMostChoiceVocab + 1, adjustments, choice));
  request.sampling.logit_bias = {{5, 1.0f}, {6, 1.0f}, {5, 0.1f}};
  EXPECT_FALSE(Sampler(request, 0).Describe(0, {}, 100, adjustments, choice));
  EXPECT_FALSE(choice.asked);
  request.sampling.logit_bias.pop_back();
  EXPECT_TRUE(Sampler(request, 0).Describe(0, {}, 100, adjustments, choice));
}

TEST(GpuEngineChoice, SaysWhereNoTokenCanBeChosen) {
  const auto device = kernels::gpu::TestDevice();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kMost = std::numeric_limits<float>::max();
  GenerationRequest request;
  request.stop_ids = {0, 1};
  request.min_tokens = 1;
  const Sampler masked(request, 0);
  GenerationRequest greedy;
  greedy.sampling.temperature = 0;
  const Sampler open(greedy, 0);
  std::vector<LogitAdjustment> all, none;
  RowChoice both_masked, first;
  ASSERT_TRUE(masked.Describe(0, {}, 2, all, both_masked));
  ASSERT_TRUE(open.Describe(0, {}, 2, none, first));
  Launch launch;
  launch.Add(std::vector<float>{0, 1}, 2, both_masked);
  for (const float bad : {std::nanf(""), -std::nanf(""), kInfinity, -kInfinity}) {
    launch.Add(std::vector<float>{0, bad}, 2, first);
  }
  launch.Add(std::vector<float>{-kMost, kMost}, 2, first);
  launch.Add(std::vector<float>{-0.0f, 0.0f}, 2, first);
  using kernels::gpu::kNothingLeft, kernels::gpu::kNotNumbers;
  EXPECT_EQ(launch.Run(*device, 2), (std::vector<int32_t>{kNothingLeft, kNotNumbers, kNotNumbers,
                                                          kNotNumbers, kNotNumbers, 1, 0}));
}

// A decoder that lets the engine choose.
class Reticent : public Decoder {
 public:
  explicit Reticent(std::unique_ptr<Decoder> decoder) : decoder_(std::move(decoder)) {}
  const DecoderSpec& spec() const override { return decoder_->spec(); }
  Result<KvCache> MakeCache(int32_t pages, int32_t page_tokens, DType dtype) override {
    return decoder_->MakeCache(pages, page_tokens, dtype);
  }
  Result<> Forward(const Batch& batch, KvCache& cache, std::span<float> logits,
                   ThreadPool& pool) override {
    return decoder_->Forward(batch, cache, logits, pool);
  }

 private:
  std::unique_ptr<Decoder> decoder_;
};

// Whole answers, with drafts, of several requests at once: with log probabilities or without, which
// is with the sampler or on the device.
TEST(GpuEngineChoice, AnswersAreThoseOfTheSampler) {
  EngineOptions options;
  options.threads = 1;
  options.context = 64;
  options.max_running = 4;
  options.step_tokens = 16;
  const auto start = [&](bool on_device) -> std::unique_ptr<Engine> {
    auto description = DescribeModel(JIKJI_SOURCE_DIR "/models/jikji-mini-ko");
    EXPECT_TRUE(description);
    const auto plan = PlanGpu(*description, options);
    auto model = LoadModelOn(kernels::gpu::TestDevice(), std::move(*description), *plan);
    EXPECT_TRUE(model) << model.error().ToString();
    if (!on_device) model->decoder = std::make_unique<Reticent>(std::move(model->decoder));
    return *Engine::Start(std::move(*model), options);
  };
  const auto gpu = start(true), sampler = start(false);
  const auto ask = [](Engine& engine, int kind) {
    GenerationRequest request;
    request.id = std::to_string(kind);
    request.prompt = engine.model().tokenizer->Encode("하나 둘 하나 둘 하나 둘 하나");
    request.max_tokens = 6;
    request.choices = 2;
    request.sampling.seed = 5;
    if (kind == 0) request.sampling.temperature = 0;
    if (kind == 1) request.sampling.top_p = 0.9;
    if (kind == 2) {
      request.sampling.top_k = 20;
      request.sampling.repetition_penalty = 1.3;
      request.sampling.frequency_penalty = 0.2;
      request.sampling.logit_bias = {{9, 2.0f}};
    }
    if (kind == 3) request.logprobs = 1;
    return Ask(engine, request);
  };
  for (int kind = 0; kind < 4; ++kind) {
    const auto wanted = ask(*sampler, kind), got = ask(*gpu, kind);
    ASSERT_EQ(got.size(), 2u);
    for (size_t choice = 0; choice < got.size(); ++choice) {
      EXPECT_FALSE(got[choice].error);
      EXPECT_EQ(got[choice].tokens, wanted[choice].tokens) << kind;
    }
  }
}

}  // namespace
}  // namespace jikji
