// The engine over a device, here the emulated one: the same tokens, and an end that is told where
// the device is lost.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/test_rounds.h"
#include "device/emulated/emulated_device.h"
#include "engine/engine.h"
#include "engine/fake_model.h"
#include "engine/gpu_model.h"
#include "engine/gpu_test_engine.h"
#include "engine/test_client.h"
#include "engine/test_extended_tokenizer.h"
#include "kernels/gpu/gpu_test.h"
#include "model/kv_cache.h"
#include "model/test_adapters.h"

namespace jikji {
namespace {

TEST(GpuEngine, TextIsTheProcessorsAndTheCacheOfPrefixesIsUsed) {
  const auto gpu = StartOn({kernels::gpu::TestDevice()});
  ASSERT_NE(gpu, nullptr);
  auto model = LoadModel(kModel);
  ASSERT_TRUE(model);
  const auto processor = Start(std::move(*model));
  // Over one page of 16 tokens, and longer than a step.
  const std::string text =
      "대한민국의 수도는 서울이다. 서울은 한강을 끼고 있으며 오랜 역사를 가진 도시로";
  const int tokens = std::max(2, TestRounds(6));
  for (const std::string& prompt : {text, text + ", 많은"}) {
    const Answer wanted = Ask(*processor, Request(*processor, prompt, prompt, tokens))[0];
    const Answer answer = Ask(*gpu, Request(*gpu, prompt, prompt, tokens))[0];
    EXPECT_FALSE(answer.error);
    EXPECT_EQ(answer.tokens, wanted.tokens) << answer.text << " | " << wanted.text;
    EXPECT_EQ(answer.cached_tokens, wanted.cached_tokens);
  }
  EXPECT_GT(gpu->stats().prefix_hits, 0);
  // All but the first of each.
  EXPECT_EQ(gpu->stats().steps_ahead, gpu->stats().steps - 2);
  EXPECT_EQ(processor->stats().steps_ahead, 0);
}

TEST(GpuEngine, ALostDeviceEndsRequestsAndIsToldByHealth) {
  // The device is lost in the middle of a step, after the first tokens.
  std::atomic<bool> lost = false;
  std::atomic<int> launches = 0;
  const auto engine = StartOn({device::MakeEmulatedDevice(
      {.healthy = [&](std::string_view) { return !lost || ++launches < 20; }})});
  ASSERT_NE(engine, nullptr);
  EXPECT_TRUE(engine->Health(std::chrono::hours(1)).healthy);
  LocalPolicy policy;
  // More than run together, so that one waits.
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 5; ++i) {
    GenerationRequest request = Request(*engine, std::to_string(i), "하나 둘 셋", 50);
    clients.push_back(std::make_unique<TestClient>());
    auto ticket = policy.Admit({.tenant = {},
                                .prompt_tokens = static_cast<int64_t>(request.prompt.size()),
                                .max_output_tokens = 50,
                                .cache_salt = {}});
    ASSERT_TRUE(engine->Submit(std::move(*ticket), std::move(request), clients.back()->Sink()));
  }
  clients[0]->WaitForTokens(1);
  lost = true;
  for (const auto& client : clients) {
    const Answer answer = client->WaitOne();
    EXPECT_EQ(answer.finish, FinishReason::kError);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, ErrorCode::kUnavailable);
    EXPECT_NE(answer.error->message.find("is lost"), std::string::npos);
  }
  const EngineHealth health = engine->Health(std::chrono::hours(1));
  EXPECT_FALSE(health.healthy);
  EXPECT_NE(health.reason.find("is lost"), std::string::npos);
  EXPECT_EQ(engine->stats().pages_used, 0);
  EXPECT_EQ(engine->stats().waiting, 0);
  GenerationRequest late = Request(*engine, "late", "하나", 1);
  TestClient client;
  auto ticket = policy.Admit({.tenant = {},
                              .prompt_tokens = static_cast<int64_t>(late.prompt.size()),
                              .max_output_tokens = 1,
                              .cache_salt = {}});
  const auto refused = engine->Submit(std::move(*ticket), std::move(late), client.Sink());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

TEST(GpuEngine, WhatDoesNotFitIsRefusedBeforeLoading) {
  const std::shared_ptr<device::Device> device =
      device::MakeEmulatedDevice({.memory_bytes = 80 << 20});
  auto description = DescribeModel(kModel);
  ASSERT_TRUE(description);
  const auto plan = PlanGpu(*description, Options());
  ASSERT_TRUE(plan);
  ASSERT_GT(plan->total(), 80u << 20);
  bool loaded = false;
  const auto model = LoadModelOn(device, *description, *plan, [&](double) { loaded = true; });
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(loaded);
}

TEST(GpuEngine, ATypeOfCacheThatNoGpuHoldsIsRefusedByThePlan) {
  auto description = DescribeModel(kModel);
  ASSERT_TRUE(description);
  EngineOptions options = Options();
  options.kv_dtype = DType::kF32;
  const auto plan = PlanGpu(*description, options);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(plan.error().message.find("--kv-dtype"), std::string::npos);
}

// What is wrong with one step only is the end of those that are in it.
TEST(GpuEngine, AStepThatIsRefusedEndsWhatRunsAndNoMore) {
  auto decoder = std::make_unique<FakeDecoder>();
  std::atomic<int> refusals = 1;
  decoder->outcome = [&]() -> Result<> {
    if (refusals-- > 0) return Fail(ErrorCode::kInvalidArgument, "too wide a step");
    return {};
  };
  const auto engine = *Engine::Start(FakeModel(std::move(decoder)), Options());
  GenerationRequest request;
  request.id = "a";
  request.prompt = {7, 8, 9};
  request.max_tokens = 3;
  const Answer refused = Ask(*engine, request)[0];
  EXPECT_EQ(refused.finish, FinishReason::kError);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->message, "too wide a step");
  EXPECT_TRUE(engine->Health(std::chrono::hours(1)).healthy);
  EXPECT_EQ(Ask(*engine, request)[0].tokens.size(), 3u);
}

// What the plan says is what is taken, to the byte; a cache of E4M3 takes half, and two bytes more
// for each head and position.
TEST(GpuEngine, ThePlanIsExact) {
  std::vector<uint64_t> page_bytes;
  for (const DType kv_dtype : {DType::kF16, DType::kF8_E4M3}) {
    const std::shared_ptr<device::Device> device = device::MakeEmulatedDevice();
    auto description = DescribeModel(kModel);
    ASSERT_TRUE(description);
    EngineOptions options = Options();
    options.kv_dtype = kv_dtype;
    const auto plan = PlanGpu(*description, options);
    ASSERT_TRUE(plan);
    page_bytes.push_back(KvCache::PageBytes(description->spec, options.page_tokens, kv_dtype));
    const uint64_t before = device->memory()->free_bytes;
    auto model = LoadModelOn(device, *description, *plan);
    ASSERT_TRUE(model);
    EXPECT_EQ(before - device->memory()->free_bytes, plan->weight_bytes + plan->scratch_bytes);
    const auto engine = Engine::Start(std::move(*model), options);
    ASSERT_TRUE(engine);
    EXPECT_EQ(before - device->memory()->free_bytes,
              plan->weight_bytes + plan->scratch_bytes + plan->kv_bytes);
    GenerationRequest request = Request(**engine, "a", "하나 둘 셋", 2);
    EXPECT_EQ(Ask(**engine, request)[0].tokens.size(), 2u);
  }
  const auto description = DescribeModel(kModel);
  const auto dim = static_cast<uint64_t>(description->spec.head_dim);
  EXPECT_EQ(page_bytes[1] * 2 * dim, page_bytes[0] * (dim + 2));
}

// Adapters of every kind are part of the plan, to the byte, and answer beside the base as on the
// processor, one of them with a word that the base does not know.
TEST(GpuEngine, AdaptersArePartOfThePlanAndAnswerAsOnTheProcessor) {
  std::string pattern = (std::filesystem::temp_directory_path() / "jikji-gpu-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  auto description = DescribeModel(kModel);
  ASSERT_TRUE(description);
  const int64_t vocab = description->spec.vocab;
  const TestAdapter adapters[] = {{.seed = "lora", .rank = 5, .alpha = 8, .exponent = -3},
                                  {.seed = "dora", .alpha = 8, .dora = true, .exponent = -3},
                                  {.seed = "own", .alpha = 8, .exponent = -3, .vocab = vocab + 1}};
  std::vector<std::filesystem::path> folders;
  for (const TestAdapter& adapter : adapters) {
    folders.push_back(std::filesystem::path(pattern) / adapter.seed);
    ASSERT_TRUE(WriteTestAdapter(adapter, description->spec, folders.back()));
  }
  WriteExtendedTokenizer(folders[2], vocab);
  const auto plan = PlanGpu(*description, Options(), folders);
  ASSERT_TRUE(plan);
  const std::shared_ptr<device::Device> device = device::MakeEmulatedDevice();
  const uint64_t before = device->memory()->free_bytes;
  auto on_gpu = LoadModelOn(device, *description, *plan);
  auto on_processor = LoadModel(kModel);
  ASSERT_TRUE(on_gpu && on_processor);
  uint64_t planned = plan->weight_bytes + plan->scratch_bytes;
  for (size_t i = 0; i < folders.size(); ++i) {
    for (Model* model : {&*on_gpu, &*on_processor}) {
      ASSERT_TRUE(AddAdapter(*model, adapters[i].seed, folders[i]));
    }
    planned += plan->adapter_bytes.at(i);
    EXPECT_EQ(before - device->memory()->free_bytes, planned) << adapters[i].seed;
  }
  EXPECT_FALSE(AddAdapter(*on_gpu, "again", folders[0]));
  const auto gpu = Start(std::move(*on_gpu)), processor = Start(std::move(*on_processor));
  EXPECT_EQ(before - device->memory()->free_bytes, planned + plan->kv_bytes);

  // All at once on the GPU, one after the other on the processor.
  std::vector<GenerationRequest> requests;
  for (const int32_t adapter : {2, kBaseModel, 1, 0}) {
    requests.push_back(Request(*gpu, std::to_string(adapter), "하나 둘 셋", 4));
    GenerationRequest& request = requests.back();
    request.adapter = adapter;
    request.prompt = gpu->model().Of(adapter).tokenizer->Encode("하나 둘 직지심체요절");
  }
  std::vector<std::unique_ptr<TestClient>> clients;
  for (const GenerationRequest& request : requests) {
    clients.push_back(std::make_unique<TestClient>());
    ASSERT_TRUE(SubmitTo(*gpu, request, *clients.back()));
  }
  std::set<std::vector<TokenId>> different;
  for (size_t i = 0; i < requests.size(); ++i) {
    const Answer answer = clients[i]->WaitOne(), wanted = Ask(*processor, requests[i])[0];
    EXPECT_FALSE(answer.error);
    EXPECT_EQ(answer.tokens, wanted.tokens) << answer.text << " | " << wanted.text;
    different.insert(answer.tokens);
  }
  EXPECT_EQ(different.size(), requests.size());

  GenerationRequest word = requests[0];
  word.id = "word";
  const auto last = static_cast<TokenId>(vocab);
  word.sampling.logit_bias = {{last, 1000.0f}};  // so that it must come
  EXPECT_EQ(Ask(*gpu, word)[0].tokens, std::vector<TokenId>(4, last));
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace jikji
