// The decoder on a device, here the emulated one, against the processor's.
#include "model/gpu/gpu_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <span>
#include <string>

#include "base/test_rounds.h"
#include "device/emulated/emulated_device.h"
#include "kernels/gpu/gpu_test.h"
#include "model/golden_models.h"
#include "model/gpu/gpu_graphs.h"
#include "model/gpu/test_decoders.h"

namespace jikji {
namespace {

// A prompt at once, then tokens one by one and in threes.
std::vector<float> RunInPieces(Decoder& decoder, std::span<const int32_t> tokens,
                               DType kv_dtype = DType::kF16) {
  Sequence sequence(decoder, 64, kv_dtype);
  std::vector<float> logits;
  for (size_t at = 0; at < tokens.size();) {
    const size_t count = at == 0 ? 17 : std::min<size_t>(at % 2 == 0 ? 1 : 3, tokens.size() - at);
    const auto part = sequence.Run(tokens.subspan(at, count), AllRows(count));
    logits.insert(logits.end(), part.begin(), part.end());
    at += count;
  }
  return logits;
}

TEST(GpuDecoder, LogitsOfEveryGoldenModelAreTheProcessors) {
  // Every one of them; sanitizers, under which an emulated chip takes minutes, a few.
  const auto& models = GoldenModels();
  const size_t count = static_cast<size_t>(TestRounds(static_cast<int>(models.size())));
  for (const GoldenModel& model : std::span(models).first(count)) {
    const OnBoth both(model);
    const double tolerance = Tolerance(both.processor->spec());
    const auto wanted = RunInPieces(*both.processor, model.prompt);
    EXPECT_LT(RelativeError(RunInPieces(*both.gpu, model.prompt), wanted), tolerance) << model.name;
    // What the tolerance is not too wide for: one token that is another.
    auto other = model.prompt;
    other[3] ^= 1;
    EXPECT_GT(RelativeError(RunInPieces(*both.gpu, other), wanted), 2 * tolerance) << model.name;
  }
}

// A value next to the middle between two of E4M3 may go to either on one and the other, which is a
// sixteenth of it: for a model of three layers not more than that is of a logit.
TEST(GpuDecoder, LogitsWithACacheOfE4M3AreTheProcessors) {
  for (const char* name : {"qwen3", "exaone4-hybrid"}) {
    const GoldenModel& model = GoldenNamed(name);
    const OnBoth both(model);
    const auto wanted = RunInPieces(*both.processor, model.prompt, DType::kF8_E4M3);
    const auto got = RunInPieces(*both.gpu, model.prompt, DType::kF8_E4M3);
    const double between = RelativeError(got, wanted);
    const double lost = RelativeError(got, RunInPieces(*both.gpu, model.prompt));
    RecordProperty(std::string(name) + "_between", std::to_string(between));
    RecordProperty(std::string(name) + "_lost", std::to_string(lost));
    EXPECT_LT(between, 0x1p-4);
    EXPECT_GT(lost, 0);
    EXPECT_LT(lost, 0x1p-3);
  }
}

// The model with the values that matrices have after `dtype`.
GoldenModel Rounded(GoldenModel model, DType dtype) {
  for (GoldenTensor& tensor : model.tensors) {
    if (tensor.shape.size() == 1) continue;
    const std::vector<std::byte> bytes = PackValues(tensor.values, dtype);
    tensor.values = *UnpackTensor({tensor.name, dtype, tensor.shape, bytes});
  }
  return model;
}

// Against the processor with the same values in F32: with quantised weights it rounds activations
// to 8 bits, which the device does not.
TEST(GpuDecoder, TakesWeightsOfAnyTypeAndGgufsOrder) {
  const std::array names{"llama-yarn", "qwen3", "exaone4-hybrid"};
  for (const char* name : std::span(names).first(static_cast<size_t>(TestRounds(3)))) {
    for (const DType dtype : {DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0}) {
      const GoldenModel& model = GoldenNamed(name);
      const OnBoth rounded(Rounded(model, dtype));
      EXPECT_LT(RelativeError(RunInPieces(*OnBoth(model, dtype).gpu, model.prompt),
                              RunInPieces(*rounded.processor, model.prompt)),
                Tolerance(rounded.processor->spec()))
          << name << " " << DTypeName(dtype);
    }
  }
}

// Promise 1, and pages that two sequences share.
TEST(GpuDecoder, BitsDoNotDependOnTheBatchThePagesOrTheSlices) {
  for (const auto& [name, kv_dtype] : {std::pair{"qwen2-window", DType::kF16},
                                       {"exaone4-hybrid", DType::kF16},
                                       {"llama-yarn", DType::kF16},
                                       {"exaone4-hybrid", DType::kF8_E4M3}}) {
    const OnBoth both(GoldenNamed(name));
    const size_t vocab = static_cast<size_t>(both.gpu->spec().vocab);
    std::mt19937 random(5 + kernels::gpu::TestSeed());
    std::vector<int32_t> first(40), second(30);
    for (int32_t& token : first) token = static_cast<int32_t>(random() % vocab);
    for (int32_t& token : second) token = static_cast<int32_t>(random() % vocab);
    std::copy_n(first.begin(), 16, second.begin());  // two pages
    const auto alone_first = Sequence(*both.gpu, 64, kv_dtype).Run(first, AllRows(40));
    const auto alone_second = Sequence(*both.gpu, 64, kv_dtype).Run(second, AllRows(30));

    auto cache = both.gpu->MakeCache(10, kPageTokens, kv_dtype);
    ASSERT_TRUE(cache) << cache.error().ToString();
    const std::vector<int32_t> first_pages = {7, 2, 9, 0, 4}, second_pages = {7, 2, 1, 5};
    ThreadPool pool(1);
    // Tokens [begin, end) of each, together; `from` of each are asked for.
    struct Part {
      int32_t begin, end;
    };
    const auto step = [&](Part one, Part two) {
      std::vector<int32_t> tokens(first.begin() + one.begin, first.begin() + one.end);
      tokens.insert(tokens.end(), second.begin() + two.begin, second.begin() + two.end);
      const int32_t count = one.end - one.begin;
      std::vector<kernels::AttentionSlice> slices = {{0, count, one.begin, first_pages}};
      if (two.end > two.begin) {
        slices.push_back({count, two.end - two.begin, two.begin, second_pages});
      }
      std::vector<int32_t> rows;
      for (int32_t row = 0; std::cmp_less(row, tokens.size()); row += 1 + row % 2) {
        rows.push_back(row);
      }
      std::vector<float> logits(rows.size() * vocab);
      const auto computed = both.gpu->Forward({tokens, slices, rows}, *cache, logits, pool);
      ASSERT_TRUE(computed) << computed.error().ToString();
      for (size_t i = 0; i < rows.size(); ++i) {
        const bool of_first = rows[i] < count;
        const auto position =
            static_cast<size_t>(of_first ? one.begin + rows[i] : two.begin + rows[i] - count);
        const auto wanted =
            std::span(of_first ? alone_first : alone_second).subspan(position * vocab, vocab);
        ASSERT_TRUE(std::ranges::equal(std::span(logits).subspan(i * vocab, vocab), wanted))
            << name << " row " << rows[i] << " from " << one.begin << " and " << two.begin;
      }
    };
    step({0, 9}, {0, 0});
    step({9, 10}, {0, 0});
    step({10, 33}, {16, 17});  // the second finds its beginning in the first's pages, of this step
    step({33, 34}, {17, 18});  // both decode
    step({34, 38}, {18, 30});
    step({38, 40}, {29, 30});  // once more, as a draft is
  }
}

// Steps that only decode: filled up, and graphs from the second of their shape on. Streams come
// and go, so that shapes change and come again.
TEST(GpuDecoder, StepsThatRepeatAreGraphsAndTheSameBits) {
  int graphs = 0;
  const OnBoth both(GoldenNamed("exaone4-hybrid"), DType::kF32,
                    device::MakeEmulatedDevice({.graph_launched = [&] { ++graphs; }}));
  const auto vocab = static_cast<size_t>(both.gpu->spec().vocab);
  std::mt19937 random(7);
  constexpr size_t kStreams = 5, kTokens = 40, kPrompt = 12;
  auto cache = both.gpu->MakeCache(kStreams * 5, kPageTokens, DType::kF16);
  ASSERT_TRUE(cache);
  ThreadPool pool(1);
  std::vector<std::vector<int32_t>> tokens(kStreams, std::vector<int32_t>(kTokens)),
      pages(kStreams);
  std::vector<std::vector<float>> wanted;
  std::vector<size_t> done(kStreams, kPrompt);
  for (size_t s = 0; s < kStreams; ++s) {
    for (int32_t& token : tokens[s]) token = static_cast<int32_t>(random() % vocab);
    for (int32_t page = 0; page < 5; ++page) pages[s].push_back(static_cast<int32_t>(s) + 5 * page);
    wanted.push_back(Sequence(*both.gpu, 64, DType::kF16).Run(tokens[s], AllRows(kTokens)));
    const kernels::AttentionSlice slice = {0, kPrompt, 0, pages[s]};
    ASSERT_TRUE(both.gpu->Forward({std::span(tokens[s]).first(kPrompt), {&slice, 1}, {}}, *cache,
                                  {}, pool));
  }
  graphs = 0;
  const auto steps = static_cast<size_t>(TestRounds(16));
  for (size_t step = 0; step < steps; ++step) {
    std::vector<int32_t> batch;
    std::vector<kernels::AttentionSlice> slices;
    const size_t streams = step % 8 < 5 ? 3 : kStreams;
    for (size_t s = 0; s < streams; ++s) {
      slices.push_back({static_cast<int32_t>(s), 1, static_cast<int32_t>(done[s]), pages[s]});
      batch.push_back(tokens[s][done[s]]);
    }
    std::vector<float> logits(streams * vocab);
    ASSERT_TRUE(both.gpu->Forward({batch, slices, AllRows(streams)}, *cache, logits, pool));
    for (size_t s = 0; s < streams; ++s) {
      ASSERT_TRUE(std::ranges::equal(std::span(logits).subspan(s * vocab, vocab),
                                     std::span(wanted[s]).subspan(done[s]++ * vocab, vocab)))
          << "step " << step << ", stream " << s;
    }
  }
  // All but the first of each of the two shapes.
  EXPECT_EQ(graphs, static_cast<int>(steps) - (steps > 5 ? 2 : 1));
}

TEST(GpuGraphs, RowsAreFilledUpToFewShapes) {
  std::set<int32_t> shapes;
  for (int64_t rows = 1; rows <= GpuGraphs::kMostRows; ++rows) {
    const int32_t padded = GpuGraphs::PaddedRows(rows);
    EXPECT_GE(padded, rows);
    EXPECT_LT(padded, 2 * rows + 1);
    shapes.insert(padded);
  }
  EXPECT_EQ(shapes.size(), 17u);
  EXPECT_EQ(*shapes.rbegin(), GpuGraphs::kMostRows);
}

TEST(GpuGraphs, TheOneLongestUnusedIsGivenUp) {
  int launched = 0;
  const auto device = device::MakeEmulatedDevice({.graph_launched = [&] { ++launched; }});
  GpuGraphs graphs;
  const auto run = [&](int64_t shape) {
    const int before = launched;
    EXPECT_TRUE(graphs.Run(*device, {shape}, []() -> Result<> { return {}; }));
    return launched > before;
  };
  EXPECT_FALSE(run(0));
  EXPECT_TRUE(run(0));
  for (int64_t shape = 1; shape <= 200; ++shape) {
    EXPECT_FALSE(run(shape));
    EXPECT_TRUE(run(0));
  }
  EXPECT_FALSE(run(1));
  EXPECT_TRUE(run(200));
}

TEST(GpuDecoder, AStepWithoutLogitsStoresKeysAndValues) {
  const GoldenModel& model = GoldenNamed("mistral");
  const OnBoth both(model);
  Sequence whole(*both.gpu, 64, DType::kF16), parted(*both.gpu, 64, DType::kF16);
  const int32_t last = 23, only = 0;
  const auto wanted = whole.Run(model.prompt, std::span(&last, 1));
  EXPECT_TRUE(parted.Run(std::span(model.prompt).first(23), {}).empty());
  EXPECT_EQ(parted.Run(std::span(model.prompt).subspan(23), std::span(&only, 1)), wanted);
}

TEST(GpuDecoder, MoreRowsOfLogitsThanAreMultipliedTogether) {
  const GoldenModel& model = GoldenNamed("llama");
  const OnBoth both(model);
  std::vector<int32_t> tokens(70);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = model.prompt[i % 24];
  Sequence whole(*both.gpu, 128, DType::kF16), parted(*both.gpu, 128, DType::kF16);
  const auto wanted = whole.Run(tokens, AllRows(70));
  auto parts = parted.Run(std::span(tokens).first(35), AllRows(35));
  const auto rest = parted.Run(std::span(tokens).subspan(35), AllRows(35));
  parts.insert(parts.end(), rest.begin(), rest.end());
  EXPECT_EQ(parts, wanted);
}

TEST(GpuDecoder, SaysWhatItDoesNotKnow) {
  const GoldenModel& model = GoldenNamed("llama");
  const OnBoth both(model);
  const auto checkpoint = *Checkpoint::Open(both.folder.path());
  DecoderSpec spec = both.processor->spec();
  spec.head_dim = 256;
  const auto wide = PlanGpuMemory(*checkpoint, spec, kLimits);
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(wide.error().message.find("serve it on the processor"), std::string::npos);
  EXPECT_FALSE(PlanGpuMemory(*checkpoint, both.processor->spec(), {.rows = 1 << 17}));
  for (const auto& [tokens, dtype] : {std::pair{8, DType::kF32}, {12, DType::kF16}}) {
    const auto cache = both.gpu->MakeCache(2, tokens, dtype);
    ASSERT_FALSE(cache);
    EXPECT_EQ(cache.error().code, ErrorCode::kUnsupported);
  }
  // Beyond the limits, in rows and in positions; and a cache that is not the device's.
  auto cache = both.gpu->MakeCache(20, kPageTokens, DType::kF16);
  auto elsewhere = both.processor->MakeCache(20, kPageTokens, DType::kF16);
  ASSERT_TRUE(cache && elsewhere);
  ThreadPool pool(1);
  const std::vector<int32_t> tokens(71), pages = AllRows(20);
  const auto refused = [&](int32_t count, int32_t start, KvCache& in) {
    const kernels::AttentionSlice slice = {0, count, start, pages};
    const auto computed = both.gpu->Forward(
        {std::span(tokens).first(static_cast<size_t>(count)), {&slice, 1}, {}}, in, {}, pool);
    return !computed && computed.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused(71, 0, *cache));
  EXPECT_TRUE(refused(1, 64, *cache));
  EXPECT_TRUE(refused(1, 0, *elsewhere));
  EXPECT_FALSE(refused(70 - 7, 0, *cache));
}

TEST(GpuDecoder, ALossIsAnErrorOfTheStepAndOfAllThatFollow) {
  const GoldenModel& model = GoldenNamed("llama");
  bool healthy = true;
  const OnBoth both(model, DType::kF32,
                    device::MakeEmulatedDevice({.healthy = [&](std::string_view kernel) {
                      return healthy || kernel != "jikji_silu_multiply";
                    }}));
  auto cache = both.gpu->MakeCache(2, kPageTokens, DType::kF16);
  ASSERT_TRUE(cache);
  ThreadPool pool(1);
  const int32_t token = 5, row = 0, page = 0;
  const kernels::AttentionSlice slice = {0, 1, 0, {&page, 1}};
  std::vector<float> logits(static_cast<size_t>(both.gpu->spec().vocab));
  const Batch batch = {{&token, 1}, {&slice, 1}, {&row, 1}};
  EXPECT_TRUE(both.gpu->Forward(batch, *cache, logits, pool));
  for (const bool now : {false, true}) {
    healthy = now;
    const auto computed = both.gpu->Forward(batch, *cache, logits, pool);
    ASSERT_FALSE(computed);
    EXPECT_EQ(computed.error().code, ErrorCode::kUnavailable);
  }
}

}  // namespace
}  // namespace jikji
