// For tests: small engines on devices, and what they are asked.
#ifndef JIKJI_ENGINE_GPU_TEST_ENGINE_H_
#define JIKJI_ENGINE_GPU_TEST_ENGINE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/engine.h"
#include "engine/gpu_model.h"

namespace jikji {

inline constexpr const char* kModel = JIKJI_SOURCE_DIR "/models/jikji-mini-ko";

inline EngineOptions Options() {
  EngineOptions options;
  options.threads = 1;
  options.context = 64;
  options.max_running = 4;
  options.step_tokens = 16;
  return options;
}

inline std::unique_ptr<Engine> Start(Model model) {
  auto engine = Engine::Start(std::move(model), Options());
  EXPECT_TRUE(engine) << engine.error().ToString();
  return engine ? std::move(*engine) : nullptr;
}

// A model on a device, or on several that were joined.
inline std::unique_ptr<Engine> StartOn(const GpuGroup& devices,
                                       const std::filesystem::path& path = kModel) {
  auto description = DescribeModel(path);
  EXPECT_TRUE(description) << description.error().ToString();
  const auto plans = PlanGpus(*description, Options(), {}, devices);
  EXPECT_TRUE(plans) << plans.error().ToString();
  auto model = LoadModelOn(devices, std::move(*description), *plans);
  EXPECT_TRUE(model) << model.error().ToString();
  return model ? Start(std::move(*model)) : nullptr;
}

// Greedy.
inline GenerationRequest Request(const Engine& engine, std::string id, std::string_view prompt,
                                 int64_t tokens) {
  GenerationRequest request;
  request.id = std::move(id);
  request.prompt = engine.model().tokenizer->Encode(prompt);
  request.max_tokens = tokens;
  request.sampling.temperature = 0;
  return request;
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_GPU_TEST_ENGINE_H_
