// For tests: an engine of the built-in model.
#ifndef JIKJI_MEASURE_HARNESS_BUILT_IN_ENGINE_H_
#define JIKJI_MEASURE_HARNESS_BUILT_IN_ENGINE_H_

#include <gtest/gtest.h>

#include <memory>

#include "engine/engine.h"
#include "model/model.h"

namespace jikji::measure {

inline std::unique_ptr<Engine> StartBuiltIn() {
  auto model = LoadModel(JIKJI_SOURCE_DIR "/models/jikji-mini-ko");
  if (!model) {
    ADD_FAILURE() << model.error().ToString();
    return nullptr;
  }
  EngineOptions options;
  options.threads = 1;
  options.kv_bytes = 32 << 20;
  auto engine = Engine::Start(std::move(*model), options);
  EXPECT_TRUE(engine) << (engine ? "" : engine.error().ToString());
  return engine ? std::move(*engine) : nullptr;
}

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_BUILT_IN_ENGINE_H_
