// One model on several devices, here emulated ones, each on a thread of its own: the bits are those
// of one device.
#include "model/gpu/gpu_ranks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <random>
#include <string>

#include "base/test_rounds.h"
#include "device/emulated/emulated_device.h"
#include "kernels/gpu/gpu_test.h"
#include "model/golden_models.h"
#include "model/gpu/gpu_adapters.h"
#include "model/gpu/gpu_decoder.h"
#include "model/gpu/test_decoders.h"
#include "model/test_adapters.h"

namespace jikji {
namespace {

using Devices = std::vector<std::shared_ptr<device::Device>>;

// A golden model with as many KV heads as asked for, which nobody has run elsewhere.
GoldenModel WithKvHeads(GoldenModel model, int64_t kv_heads) {
  const std::string key = "\"num_key_value_heads\":";
  const size_t at = model.config.find(key);
  EXPECT_NE(at, std::string::npos) << model.config;
  const int64_t before = model.config[at + key.size()] - '0';
  model.config[at + key.size()] = static_cast<char>('0' + kv_heads);
  for (GoldenTensor& tensor : model.tensors) {
    if (tensor.name.contains("k_proj") || tensor.name.contains("v_proj")) {
      tensor.shape[0] = tensor.shape[0] / before * kv_heads;
    }
  }
  FillWeights(model);
  return model;
}

// A model's checkpoint, and decoders of it.
struct Case {
  TemporaryFolder folder;
  std::shared_ptr<const Checkpoint> checkpoint;
  DecoderSpec spec;

  explicit Case(const GoldenModel& model, DType dtype = DType::kF32) {
    const auto path = WriteModel(model, dtype, folder.path());
    spec = (*LoadDecoder(path))->spec();
    checkpoint = *Checkpoint::Open(path);
  }

  std::unique_ptr<Decoder> Alone(std::shared_ptr<device::Device> device) const {
    auto decoder = LoadGpuDecoder(std::move(device), checkpoint, spec, kLimits);
    EXPECT_TRUE(decoder) << decoder.error().ToString();
    return std::move(*decoder);
  }
  std::unique_ptr<Decoder> On(Devices devices) const {
    auto decoder = LoadGpuRanks(std::move(devices), checkpoint, spec, kLimits);
    EXPECT_TRUE(decoder) << decoder.error().ToString();
    return std::move(*decoder);
  }
};

// A prompt, whose logits are partly wanted, then tokens one by one and in threes.
std::vector<float> RunInPieces(Decoder& decoder, std::span<const int32_t> tokens,
                               DType cache = DType::kF16) {
  Sequence sequence(decoder, 64, cache);
  const std::array<int32_t, 3> some{2, 3, 16};
  std::vector<float> logits = sequence.Run(tokens.first(17), some);
  for (size_t at = 17; at < tokens.size();) {
    const size_t count = std::min<size_t>(at % 2 == 0 ? 1 : 3, tokens.size() - at);
    const auto part = sequence.Run(tokens.subspan(at, count), AllRows(count));
    logits.insert(logits.end(), part.begin(), part.end());
    at += count;
  }
  return logits;
}

// The same prompt on so many devices as on one.
void ExpectSameBits(const Case& one, size_t ranks, const GoldenModel& model) {
  const auto devices = kernels::gpu::TestDevices(ranks);
  EXPECT_EQ(RunInPieces(*one.On(devices.joined), model.prompt),
            RunInPieces(*one.Alone(devices.alone), model.prompt))
      << model.name << " of " << DTypeName(one.checkpoint->tensors()[0].dtype);
}

TEST(GpuRanks, LogitsOfEveryGoldenModelAreOneDevices) {
  const auto& models = GoldenModels();
  const auto count = static_cast<size_t>(TestRounds(static_cast<int>(models.size())));
  size_t cut = 0;
  for (const GoldenModel& model : std::span(models).first(count)) {
    const Case one(model);
    if (one.spec.kv_heads % 2 != 0) continue;
    ++cut;
    ExpectSameBits(one, 2, model);
  }
  EXPECT_GE(cut + 1, count);
}

// The MLP's 96 columns are 6 tiles: the last of 4 ranks has none of them.
TEST(GpuRanks, FourOfThem) {
  const std::array names{"qwen2", "exaone4-hybrid", "hyperclovax", "llama-bias", "qwen3"};
  for (const char* name : std::span(names).first(static_cast<size_t>(TestRounds(5)))) {
    const GoldenModel model = WithKvHeads(GoldenNamed(name), 4);
    ExpectSameBits(Case(model), 4, model);
  }
}

// Quantised types, GGUF's order of the rows of queries and keys.
TEST(GpuRanks, WeightsOfAnyTypeAndGgufsOrder) {
  const std::array names{"llama-yarn", "qwen3", "llama-tied"};
  for (const char* name : std::span(names).first(static_cast<size_t>(TestRounds(3)))) {
    const GoldenModel& model = GoldenNamed(name);
    for (const DType dtype : {DType::kBF16, DType::kQ8_0, DType::kQ4_0}) {
      ExpectSameBits(Case(model, dtype), 2, model);
    }
  }
}

TEST(GpuRanks, ACacheOfEightBitsIsOneDevicesToo) {
  const GoldenModel& model = GoldenNamed("llama-yarn");
  const Case one(model);
  const auto devices = kernels::gpu::TestDevices(2);
  const auto got = RunInPieces(*one.On(devices.joined), model.prompt, DType::kF8_E4M3);
  const auto alone = one.Alone(devices.alone);
  EXPECT_EQ(got, RunInPieces(*alone, model.prompt, DType::kF8_E4M3));
  EXPECT_NE(got, RunInPieces(*alone, model.prompt));
}

// Streams that decode together, over pages that two of them share, in steps that become graphs on
// every rank; tokens are chosen on each and told by the first.
TEST(GpuRanks, StepsOfManyStreamsAreOneDevicesToo) {
  std::atomic<int> graphs = 0;
  const Case one(GoldenNamed("exaone4-hybrid"));
  const auto alone = one.Alone(device::MakeEmulatedDevice()),
             together = one.On(device::MakeJoinedDevices(2, [&](size_t) {
               return device::EmulatedOptions{.graph_launched = [&] { ++graphs; }};
             }));
  constexpr int32_t kStreams = 3, kPrompt = 17;
  const int32_t steps = TestRounds(6);
  struct Run {
    std::vector<std::vector<float>> logits;
    std::vector<std::vector<int32_t>> tokens;
  };
  const auto run = [&](Decoder& decoder) {
    Run out;
    ThreadPool pool(1);
    auto cache = decoder.MakeCache(12, kPageTokens, DType::kF16);
    EXPECT_TRUE(cache) << cache.error().ToString();
    // The first two pages are all streams'.
    const std::vector<std::vector<int32_t>> pages = {{9, 2, 4, 5}, {9, 2, 6, 7}, {9, 2, 8, 0}};
    std::mt19937 random(3);
    std::vector<int32_t> prompt(kPrompt);
    for (int32_t& token : prompt) token = static_cast<int32_t>(random() % 256);
    const kernels::AttentionSlice first = {0, kPrompt - 1, 0, pages[0]};
    EXPECT_TRUE(
        decoder.Forward({std::span(prompt).first(kPrompt - 1), {&first, 1}, {}}, *cache, {}, pool));
    std::vector<int32_t> last = {7, 8, 9};
    for (int32_t step = 0; step < steps; ++step) {
      std::vector<kernels::AttentionSlice> slices;
      for (int32_t s = 0; s < kStreams; ++s) {
        slices.push_back({s, 1, kPrompt - 1 + step, pages[static_cast<size_t>(s)]});
      }
      // Two are chosen on the device, one greedily and one drawn; the third's logits come back.
      std::vector<RowChoice> choices(kStreams);
      for (size_t s = 0; s < 2; ++s) {
        choices[s].asked = true;
        choices[s].vocab = 256;
        choices[s].params.inverse_temperature = s == 0 ? 0.0f : 1.0f;
        choices[s].params.random = random() * 0x1234567890ABCDull;
      }
      const auto rows = AllRows(kStreams);
      std::vector<float> logits(kStreams * 256);
      EXPECT_TRUE(decoder.Forward(
          {.tokens = last, .slices = slices, .logit_rows = rows, .choices = choices}, *cache,
          logits, pool));
      out.logits.emplace_back(logits.begin() + 2 * 256, logits.end());
      last[2] = static_cast<int32_t>(random() % 256);
      for (size_t s = 0; s < 2; ++s) {
        EXPECT_EQ(choices[s].outcome, RowChoice::Outcome::kToken);
        last[s] = choices[s].token;
      }
      out.tokens.push_back(last);
    }
    return out;
  };
  const Run wanted = run(*alone), got = run(*together);
  EXPECT_EQ(got.tokens, wanted.tokens);
  EXPECT_EQ(got.logits, wanted.logits);
  EXPECT_EQ(graphs, 2 * (steps - 1));  // all but the first, on each
}

// LoRA and DoRA in one batch with the base: each rank has its rows of B and of the gains.
TEST(GpuRanks, AdaptersAreOneDevicesToo) {
  const GoldenModel model = WithKvHeads(GoldenNamed("qwen3"), 4);
  const Case one(model);
  GpuLimits limits = kLimits;
  limits.adapters = 2;
  limits.adapter_rank = 9;
  const auto write = [&](const TestAdapter& adapter) {
    const auto folder = one.folder.path() / adapter.seed;
    EXPECT_TRUE(WriteTestAdapter(adapter, one.spec, folder));
    return folder;
  };
  const auto lora = write({.seed = "lora", .rank = 9}),
             dora = write({.seed = "dora", .dora = true}),
             vocabulary = write({.seed = "own", .rank = 1, .vocab = one.spec.vocab + 8});
  const auto add = [&](Decoder& decoder, const std::filesystem::path& folder) -> Result<int32_t> {
    JIKJI_ASSIGN(const PeftAdapter adapter, PeftAdapter::Open(folder, one.spec));
    return decoder.AddAdapter(adapter);
  };
  const auto run = [&](Decoder& decoder) {
    EXPECT_EQ(add(decoder, lora), 0);
    EXPECT_EQ(add(decoder, dora), 1);
    auto cache = decoder.MakeCache(12, kPageTokens, DType::kF16);
    EXPECT_TRUE(cache);
    ThreadPool pool(1);
    std::vector<float> all;
    const std::vector<std::vector<int32_t>> pages = {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}};
    const std::vector<int32_t> adapters = {1, kBaseModel, 0};
    // A prompt of each, then two tokens each.
    for (const auto& [start, count] : {std::pair{0, 10}, {10, 1}, {11, 1}}) {
      std::vector<int32_t> tokens, rows;
      std::vector<kernels::AttentionSlice> slices;
      for (const auto& own : pages) {
        slices.push_back({static_cast<int32_t>(tokens.size()), count, start, own});
        for (int32_t i = 0; i < count; ++i) {
          tokens.push_back(model.prompt[static_cast<size_t>(start + i)]);
        }
        rows.push_back(static_cast<int32_t>(tokens.size()) - 1);
      }
      std::vector<float> logits(rows.size() * 256);
      const auto computed = decoder.Forward(
          {.tokens = tokens, .slices = slices, .logit_rows = rows, .adapters = adapters}, *cache,
          logits, pool);
      EXPECT_TRUE(computed) << computed.error().ToString();
      all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
  };
  const auto devices = kernels::gpu::TestDevices(4);
  const auto alone = *LoadGpuDecoder(devices.alone, one.checkpoint, one.spec, limits),
             together = *LoadGpuRanks(devices.joined, one.checkpoint, one.spec, limits);
  const auto wanted = run(*alone);
  EXPECT_EQ(run(*together), wanted);
  // The three streams differ by their adapters alone.
  for (size_t row = 0; row < 3; ++row) {
    const auto of = std::span(wanted).subspan(row * 256, 256),
               next = std::span(wanted).subspan((row + 1) % 3 * 256, 256);
    EXPECT_FALSE(std::ranges::equal(of, next)) << row;
  }
  // Each rank takes what is planned for it, to the byte.
  const GpuCut cut = {.rank = 1, .ranks = 4};
  const Devices counted = device::MakeJoinedDevices(4);
  const auto decoder = *LoadGpuRanks(counted, one.checkpoint, one.spec, limits);
  for (const auto& folder : {lora, dora}) {
    const PeftAdapter adapter = *PeftAdapter::Open(folder, one.spec);
    const uint64_t before = counted[1]->memory()->free_bytes;
    EXPECT_TRUE(decoder->AddAdapter(adapter));
    EXPECT_EQ(before - counted[1]->memory()->free_bytes, *GpuAdapterBytes(adapter, cut));
    EXPECT_LT(*GpuAdapterBytes(adapter, cut), *GpuAdapterBytes(adapter));
  }
  // A vocabulary of its own is not cut yet.
  EXPECT_EQ(GpuAdapterBytes(*PeftAdapter::Open(vocabulary, one.spec), cut).error().code,
            ErrorCode::kUnsupported);
}

TEST(GpuRanks, TheLossOfOneIsTheStepsErrorAndNobodyHangs) {
  const GoldenModel& model = GoldenNamed("llama");
  const Case one(model);
  // In the middle of a layer, and when all are to meet.
  for (const char* act : {"jikji_silu_multiply", "AllGather"}) {
    for (const size_t lost : {0u, 1u}) {
      std::atomic<bool> healthy = true;
      const auto decoder = one.On(device::MakeJoinedDevices(2, [&](size_t rank) {
        return device::EmulatedOptions{.healthy = [&, rank](std::string_view now) {
          return healthy || rank != lost || now != act;
        }};
      }));
      auto cache = decoder->MakeCache(2, kPageTokens, DType::kF16);
      ASSERT_TRUE(cache);
      ThreadPool pool(1);
      const int32_t token = 5, row = 0, page = 0;
      const kernels::AttentionSlice slice = {0, 1, 0, {&page, 1}};
      std::vector<float> logits(256);
      const Batch batch = {{&token, 1}, {&slice, 1}, {&row, 1}};
      EXPECT_TRUE(decoder->Forward(batch, *cache, logits, pool));
      for (const bool now : {false, true}) {
        healthy = now;
        const auto computed = decoder->Forward(batch, *cache, logits, pool);
        ASSERT_FALSE(computed);
        EXPECT_EQ(computed.error().code, ErrorCode::kUnavailable);
        // The one that was lost is told of, not those that waited for it.
        if (!now) {
          EXPECT_NE(computed.error().message.find("emulated device is lost"), std::string::npos)
              << computed.error().message;
        }
      }
    }
  }
}

// What is refused is refused by all, and the next step is as good as any.
TEST(GpuRanks, ABatchBeyondTheLimitsIsNoLoss) {
  const Case one(GoldenNamed("llama"));
  const auto decoder = one.On(device::MakeJoinedDevices(2));
  auto cache = decoder->MakeCache(12, kPageTokens, DType::kF16);
  ASSERT_TRUE(cache);
  ThreadPool pool(1);
  const std::vector<int32_t> tokens(71), pages = AllRows(12);
  for (const int32_t count : {71, 20}) {
    const kernels::AttentionSlice slice = {0, count, 0, pages};
    const auto computed = decoder->Forward(
        {std::span(tokens).first(static_cast<size_t>(count)), {&slice, 1}, {}}, *cache, {}, pool);
    EXPECT_EQ(bool{computed}, count == 20);
  }
}

// Each rank takes what was planned for it, to the byte, and together they hold every matrix once.
TEST(GpuRanks, ThePlanOfEachIsExact) {
  for (const char* name : {"llama-bias", "llama-tied"}) {
    const Case one(GoldenNamed(name));
    const Devices devices = device::MakeJoinedDevices(2);
    std::vector<uint64_t> before;
    for (const auto& device : devices) before.push_back(device->memory()->free_bytes);
    const auto decoder = one.On(devices);
    const auto cache = decoder->MakeCache(10, kPageTokens, DType::kF16);
    ASSERT_TRUE(cache);
    const GpuMemory alone = *PlanGpuMemory(*one.checkpoint, one.spec, kLimits);
    EXPECT_EQ(alone.exchange, 0u);
    uint64_t weights = 0;
    for (int32_t rank = 0; rank < 2; ++rank) {
      const GpuCut cut = {.rank = rank, .ranks = 2};
      const GpuMemory plan = *PlanGpuMemory(*one.checkpoint, one.spec, kLimits, cut);
      const uint64_t pages =
          10 * KvCache::PageBytes(SpecOf(one.spec, cut), kPageTokens, DType::kF16);
      EXPECT_EQ(pages, 5 * KvCache::PageBytes(one.spec, kPageTokens, DType::kF16));
      const auto i = static_cast<size_t>(rank);
      EXPECT_EQ(before[i] - devices[i]->memory()->free_bytes,
                plan.weights + plan.scratch + plan.exchange + pages)
          << name << " " << rank;
      weights += plan.weights;
    }
    // Twice the embedding, and some vectors.
    const auto embedding = static_cast<uint64_t>(one.spec.vocab * one.spec.hidden) * sizeof(float);
    EXPECT_GE(weights, alone.weights + embedding);
    EXPECT_LT(weights, alone.weights + embedding + 16384);
  }
}

TEST(GpuRanks, HeadsThatCannotBeSharedOutAreRefused) {
  const Case one(GoldenNamed("llama"));
  for (const int32_t ranks : {3, 4}) {
    const auto plan = PlanGpuMemory(*one.checkpoint, one.spec, kLimits, {.ranks = ranks});
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(plan.error().message.find("4 heads and 2 KV heads"), std::string::npos);
    EXPECT_NE(plan.error().message.find("can be 1, 2"), std::string::npos);
    const auto loaded = LoadGpuRanks(device::MakeJoinedDevices(static_cast<size_t>(ranks)),
                                     one.checkpoint, one.spec, kLimits);
    EXPECT_FALSE(loaded);
  }
}

}  // namespace
}  // namespace jikji
