// Adapters on a device, here the emulated one, against the processor's: of any kind and the base in
// one batch.
#include "model/gpu/gpu_adapters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>

#include "device/emulated/emulated_device.h"
#include "kernels/gpu/gpu_test.h"
#include "model/gpu/test_decoders.h"
#include "model/test_adapters.h"

namespace jikji {
namespace {

constexpr size_t kTokens = 20, kPrompt = 11;
constexpr int64_t kMostVocab = 1000;  // of adapters; more than any golden model's

// A golden model and its adapters, added to both.
struct AdaptedOnBoth : OnBoth {
  using OnBoth::OnBoth;

  Result<int32_t> Add(const TestAdapter& adapter) {
    const auto path = folder.path() / adapter.seed;
    EXPECT_TRUE(WriteTestAdapter(adapter, gpu->spec(), path));
    JIKJI_ASSIGN(const PeftAdapter opened, PeftAdapter::Open(path, gpu->spec()));
    JIKJI_ASSIGN(const int32_t number, gpu->AddAdapter(opened));
    EXPECT_EQ(processor->AddAdapter(opened), number);
    return number;
  }
};

struct Stream {
  std::vector<int32_t> tokens;
  int32_t adapter = kBaseModel;
  int64_t vocab = 0;
};

// Steps of some streams together: their prompts, then token by token. Logits of each stream.
std::vector<std::vector<float>> RunTogether(Decoder& decoder, std::span<const Stream> streams) {
  auto cache =
      decoder.MakeCache(static_cast<int32_t>(3 * streams.size()), kPageTokens, DType::kF16);
  EXPECT_TRUE(cache);
  const auto stride = static_cast<size_t>(decoder.logit_stride());
  std::vector<std::vector<int32_t>> pages(streams.size());
  std::vector<std::vector<float>> out(streams.size());
  ThreadPool pool(1);
  for (size_t begin = 0; begin < kTokens; begin = begin == 0 ? kPrompt : begin + 1) {
    const size_t count = begin == 0 ? kPrompt : 1;
    std::vector<int32_t> batch, rows, adapters;
    std::vector<kernels::AttentionSlice> slices;
    for (size_t s = 0; s < streams.size(); ++s) {
      for (int32_t page = 0; page < 3 && begin == 0; ++page) {
        pages[s].push_back(static_cast<int32_t>(3 * s) + page);
      }
      slices.push_back({static_cast<int32_t>(batch.size()), static_cast<int32_t>(count),
                        static_cast<int32_t>(begin), pages[s]});
      const auto part = std::span(streams[s].tokens).subspan(begin, count);
      batch.insert(batch.end(), part.begin(), part.end());
      rows.push_back(static_cast<int32_t>(batch.size()) - 1);
      adapters.push_back(streams[s].adapter);
    }
    std::vector<float> logits(rows.size() * stride);
    const auto computed = decoder.Forward(
        {.tokens = batch, .slices = slices, .logit_rows = rows, .adapters = adapters}, *cache,
        logits, pool);
    EXPECT_TRUE(computed) << computed.error().ToString();
    for (size_t s = 0; s < streams.size(); ++s) {
      const auto row = std::span(logits).subspan(s * stride, static_cast<size_t>(streams[s].vocab));
      out[s].insert(out[s].end(), row.begin(), row.end());
    }
  }
  return out;
}

// LoRA, DoRA and vocabularies of their own beside the base: close to the processor, and for each
// row the bits that it has alone, in steps that are launched one by one and in graphs.
TEST(GpuAdapters, OfEveryKindRunInOneBatchWithTheBase) {
  int graphs = 0;
  const GoldenModel& model = GoldenNamed("qwen3");
  constexpr int64_t kMore = 21;
  AdaptedOnBoth both(model, DType::kF32,
                     device::MakeEmulatedDevice({.graph_launched = [&] { ++graphs; }}),
                     {.adapters = 5, .adapter_rank = 9, .adapter_vocab = kMostVocab});
  const int64_t vocab = both.gpu->spec().vocab;
  EXPECT_EQ(both.Add({.seed = "all", .rank = 9}), 0);
  EXPECT_EQ(both.Add({.seed = "dora", .dora = true, .exponent = -3}), 1);
  EXPECT_EQ(both.Add({.seed = "own", .rank = 2, .vocab = vocab + kMore}), 2);
  EXPECT_EQ(both.Add({.seed = "some",
                      .rank = 3,
                      .dora = true,
                      .targets = {TensorRole::kValue, TensorRole::kDown},
                      .vocab = vocab + 3}),
            3);
  EXPECT_EQ(both.gpu->logit_stride(), vocab + kMore);

  std::vector<int32_t> tokens(model.prompt.begin(), model.prompt.begin() + kTokens);
  std::vector<int32_t> longer = tokens, other = tokens;
  longer[5] = longer[16] = static_cast<int32_t>(vocab + kMore - 1);
  other[2] = other[13] = static_cast<int32_t>(vocab + 2);
  const std::vector<Stream> streams = {{longer, 2, vocab + kMore}, {tokens, 1, vocab},
                                       {other, 3, vocab + 3},      {tokens, kBaseModel, vocab},
                                       {longer, 2, vocab + kMore}, {tokens, 0, vocab}};
  const auto together = RunTogether(*both.gpu, streams);
  EXPECT_GT(graphs, 0);
  const auto wanted = RunTogether(*both.processor, streams);
  const double tolerance = Tolerance(both.gpu->spec());
  for (size_t s = 0; s < streams.size(); ++s) {
    SCOPED_TRACE(s);
    EXPECT_EQ(together[s], RunTogether(*both.gpu, std::span(streams).subspan(s, 1))[0]);
    EXPECT_LT(RelativeError(together[s], wanted[s]), tolerance);
  }
  // And they say something of their own.
  EXPECT_GT(RelativeError(together[1], wanted[3]), 2 * tolerance);
  EXPECT_GT(RelativeError(together[5], wanted[3]), 2 * tolerance);
}

// Gains are of the base's rows as they are multiplied with: rounded, and not in their file's order.
TEST(GpuAdapters, DoraOfABaseInGgufsOrder) {
  AdaptedOnBoth both(GoldenNamed("llama"), DType::kF16, kernels::gpu::TestDevice(),
                     {.adapters = 1, .adapter_rank = 4});
  ASSERT_EQ(both.Add({.seed = "dora", .dora = true}), 0);
  const auto& prompt = GoldenNamed("llama").prompt;
  const Stream stream{{prompt.begin(), prompt.begin() + kTokens}, 0, both.gpu->spec().vocab};
  EXPECT_LT(RelativeError(RunTogether(*both.gpu, {&stream, 1})[0],
                          RunTogether(*both.processor, {&stream, 1})[0]),
            Tolerance(both.gpu->spec()));
}

// Tokens are chosen among those that a row's own adapter knows, and come back to the rows that
// asked for them: greedily, beside rows whose logits are wanted.
TEST(GpuAdapters, TokensAreChosenInARowsOwnVocabulary) {
  const GoldenModel& model = GoldenNamed("llama");
  AdaptedOnBoth both(model, DType::kF32, kernels::gpu::TestDevice(),
                     {.adapters = 2, .adapter_rank = 4, .adapter_vocab = kMostVocab});
  const int64_t vocab = both.gpu->spec().vocab;
  ASSERT_EQ(both.Add({.seed = "own", .vocab = kMostVocab}), 0);
  ASSERT_EQ(both.Add({.seed = "plain"}), 1);
  const int32_t of_slices[] = {0, kBaseModel, 1, 0, kBaseModel, 0};
  constexpr size_t kSlices = std::size(of_slices);
  const std::vector<int32_t> tokens(model.prompt.begin(), model.prompt.begin() + kSlices),
      rows = AllRows(kSlices);
  std::vector<kernels::AttentionSlice> slices;
  for (size_t i = 0; i < kSlices; ++i) {
    slices.push_back({rows[i], 1, 0, std::span(rows).subspan(i, 1)});
  }
  auto cache = both.gpu->MakeCache(kSlices, kPageTokens, DType::kF16);
  ASSERT_TRUE(cache);
  const auto stride = static_cast<size_t>(both.gpu->logit_stride());
  const auto vocab_of = [&](size_t i) { return of_slices[i] == 0 ? kMostVocab : vocab; };
  ThreadPool pool(1);
  std::vector<float> wanted(kSlices * stride), some(kSlices * stride, -1.0f);
  ASSERT_TRUE(both.gpu->Forward({tokens, slices, rows, of_slices}, *cache, wanted, pool));
  std::vector<RowChoice> choices(kSlices);
  for (size_t i = 0; i < kSlices; ++i) {
    choices[i] = {.asked = i % 3 != 1, .vocab = static_cast<int32_t>(vocab_of(i))};
  }
  ASSERT_TRUE(both.gpu->Forward({tokens, slices, rows, of_slices, choices}, *cache, some, pool));
  bool beyond = false;
  for (size_t i = 0; i < kSlices; ++i) {
    const auto of = static_cast<size_t>(vocab_of(i));
    const auto row = std::span(wanted).subspan(i * stride, of);
    const auto best = static_cast<int32_t>(std::ranges::max_element(row) - row.begin());
    if (choices[i].asked) {
      EXPECT_EQ(choices[i].outcome, RowChoice::Outcome::kToken);
      EXPECT_EQ(choices[i].token, best) << i;
      beyond = beyond || best >= vocab;
    } else {
      EXPECT_TRUE(std::ranges::equal(std::span(some).subspan(i * stride, of), row)) << i;
    }
  }
  EXPECT_TRUE(beyond) << "no token of the adapter's own was the best";
}

TEST(GpuAdapters, BeyondWhatWasPlannedAreRefused) {
  const GoldenModel& model = GoldenNamed("llama");
  AdaptedOnBoth both(model, DType::kF32, kernels::gpu::TestDevice(),
                     {.adapters = 1, .adapter_rank = 4});
  const int64_t vocab = both.gpu->spec().vocab;
  const uint64_t before = both.device->memory()->free_bytes;
  for (const TestAdapter& adapter :
       {TestAdapter{.seed = "rank", .rank = 5}, {.seed = "vocabulary", .vocab = vocab + 1}}) {
    EXPECT_EQ(both.Add(adapter).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(both.device->memory()->free_bytes, before);
  EXPECT_EQ(both.Add({.seed = "one", .dora = true, .vocab = vocab}), 0);
  EXPECT_EQ(both.Add({.seed = "two"}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace jikji
