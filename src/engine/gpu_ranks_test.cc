// The engine over a model that is cut over several devices, here emulated ones: the answers are
// those of one device, and the loss of one ends requests.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/test_rounds.h"
#include "device/emulated/emulated_device.h"
#include "engine/engine.h"
#include "engine/gpu_model.h"
#include "engine/gpu_test_engine.h"
#include "engine/test_client.h"
#include "kernels/gpu/gpu_test.h"
#include "model/test_adapters.h"
#include "tensor/checkpoint.h"
#include "tensor/file_writer.h"
#include "text/testing.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRanks = 3;  // as many as the model has heads

// The built-in model with its one KV head three times, one for each head: it computes the same.
class Tripled {
 public:
  Tripled() {
    const auto written = Write();
    EXPECT_TRUE(written) << written.error().ToString();
  }

  const fs::path& path() const { return folder_.path(); }

 private:
  Result<> Write() const {
    for (const char* name : {"generation_config.json", "tokenizer.json", "tokenizer_config.json"}) {
      fs::copy_file(fs::path(kModel) / name, path() / name);
    }
    JIKJI_ASSIGN(std::string config, ReadFile(fs::path(kModel) / "config.json"));
    const std::string key = "\"num_key_value_heads\": 1";
    config.replace(config.find(key), key.size(), "\"num_key_value_heads\": 3");
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(path() / "config.json", config));
    JIKJI_ASSIGN(const auto checkpoint, Checkpoint::Open(kModel));
    const auto times = [](const TensorView& tensor) -> int {
      return tensor.name.contains("k_proj") || tensor.name.contains("v_proj") ? 3 : 1;
    };
    std::vector<TensorSpec> specs;
    for (const TensorView& tensor : checkpoint->tensors()) {
      specs.push_back({tensor.name, tensor.dtype, tensor.shape});
      specs.back().shape[0] *= times(tensor);
    }
    JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors({{"format", "pt"}}, specs));
    JIKJI_ASSIGN(TensorFileWriter writer,
                 TensorFileWriter::Create(path() / "model.safetensors", std::move(layout)));
    for (size_t i = 0; i < specs.size(); ++i) {
      const TensorView& tensor = checkpoint->tensors()[i];
      for (int copy = 0; copy < times(tensor); ++copy) {
        JIKJI_RETURN_IF_ERROR(writer.Append(i, tensor.data));
      }
    }
    return writer.Finish();
  }

  testing::TemporaryFolder folder_;
};

TEST(GpuEngineRanks, AnswersAndLogprobsAreOneDevicesBitForBit) {
  const Tripled tripled;
  const auto devices = kernels::gpu::TestDevices(kRanks);
  const auto alone = StartOn({devices.alone}, kModel),
             together = StartOn(devices.joined, tripled.path());
  // Over one page of 16 tokens, and longer than a step.
  const std::string text =
      "대한민국의 수도는 서울이다. 서울은 한강을 끼고 있으며 오랜 역사를 가진 도시로";
  const int tokens = std::max(2, TestRounds(3));
  for (const std::string& prompt : {text, text + ", 많은"}) {
    GenerationRequest request = Request(*alone, prompt, prompt, tokens);
    request.logprobs = 2;
    const Answer wanted = Ask(*alone, request)[0], got = Ask(*together, request)[0];
    EXPECT_FALSE(got.error) << got.error->ToString();
    EXPECT_EQ(got.Bytes(), wanted.Bytes()) << got.text << " | " << wanted.text;
    EXPECT_EQ(got.cached_tokens, wanted.cached_tokens);
    // Chosen on the first device: drawn, from the same seed.
    request.logprobs = -1;
    request.sampling.temperature = 1;
    request.sampling.top_p = 0.9;
    request.sampling.seed = 7;
    request.id += "drawn";
    EXPECT_EQ(Ask(*together, request)[0].Bytes(), Ask(*alone, request)[0].Bytes());
  }
  EXPECT_GT(together->stats().prefix_hits, 0);
}

TEST(GpuEngineRanks, ThePlanOfEachIsExactAndRefusedBeforeLoading) {
  const Tripled tripled;
  auto description = DescribeModel(tripled.path());
  ASSERT_TRUE(description);
  const GpuGroup devices = device::MakeJoinedDevices(kRanks);
  const auto plans = PlanGpus(*description, Options(), {}, devices);
  ASSERT_TRUE(plans);
  const uint64_t before = devices[0]->memory()->free_bytes;
  auto model = LoadModelOn(devices, *description, *plans);
  ASSERT_TRUE(model);
  const auto engine = Engine::Start(std::move(*model), Options());
  ASSERT_TRUE(engine);
  for (size_t rank = 0; rank < kRanks; ++rank) {
    const GpuPlan& plan = (*plans)[rank];
    EXPECT_EQ(before - devices[rank]->memory()->free_bytes,
              plan.weight_bytes + plan.scratch_bytes + plan.exchange_bytes + plan.kv_bytes);
    EXPECT_EQ(3 * plan.kv_bytes, PlanGpu(*description, Options())->kv_bytes);
  }
  const GpuGroup taken = {devices[0], device::MakeEmulatedDevice({.memory_bytes = 80 << 20}),
                          devices[2]};
  bool loaded = false;
  const auto refused = LoadModelOn(taken, *description, *plans, [&](double) { loaded = true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("of 3 has"), std::string::npos);
  EXPECT_FALSE(loaded);
}

TEST(GpuEngineRanks, WhatCannotBeCutIsRefusedByThePlan) {
  auto description = DescribeModel(kModel);
  ASSERT_TRUE(description);
  const auto heads = PlanGpus(*description, Options(), {}, device::MakeJoinedDevices(kRanks));
  ASSERT_FALSE(heads);
  EXPECT_EQ(heads.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(heads.error().message.find("1 KV heads cannot be cut over 3"), std::string::npos);
  const Tripled tripled;
  auto three = DescribeModel(tripled.path());
  const fs::path adapter = tripled.path() / "adapter";
  ASSERT_TRUE(WriteTestAdapter({.seed = "own", .rank = 1, .vocab = 4096}, three->spec, adapter));
  const auto adapted =
      PlanGpus(*three, Options(), {&adapter, 1}, device::MakeJoinedDevices(kRanks));
  ASSERT_FALSE(adapted);
  EXPECT_EQ(adapted.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(adapted.error().message.find("jikji adapt merge"), std::string::npos);
}

TEST(GpuEngineRanks, ALostDeviceEndsRequestsAndIsToldByHealth) {
  std::atomic<bool> lost = false;
  std::atomic<int> acts = 0;
  const Tripled tripled;
  const auto engine =
      StartOn(device::MakeJoinedDevices(kRanks,
                                        [&](size_t rank) {
                                          return device::EmulatedOptions{
                                              .healthy = [&, rank](std::string_view) {
                                                return rank != 1 || !lost || ++acts < 20;
                                              }};
                                        }),
              tripled.path());
  LocalPolicy policy;
  GenerationRequest request = Request(*engine, "a", "하나 둘 셋", 50);
  TestClient client;
  auto ticket = policy.Admit({.tenant = {},
                              .prompt_tokens = static_cast<int64_t>(request.prompt.size()),
                              .max_output_tokens = 50,
                              .cache_salt = {}});
  ASSERT_TRUE(engine->Submit(std::move(*ticket), std::move(request), client.Sink()));
  client.WaitForTokens(1);
  lost = true;
  const Answer answer = client.WaitOne();
  EXPECT_EQ(answer.finish, FinishReason::kError);
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code, ErrorCode::kUnavailable);
  EXPECT_NE(answer.error->message.find("emulated device is lost"), std::string::npos);
  const EngineHealth health = engine->Health(std::chrono::hours(1));
  EXPECT_FALSE(health.healthy);
  EXPECT_NE(health.reason.find("is lost"), std::string::npos);
}

}  // namespace
}  // namespace jikji
