// The settings of the engine that every command which runs a model takes.
#ifndef JIKJI_APP_ENGINE_SETTINGS_H_
#define JIKJI_APP_ENGINE_SETTINGS_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/error.h"
#include "engine/engine.h"

namespace jikji {

struct EngineSettings {
  std::string model;
  std::string device = "cpu";
  int64_t tensor_parallel = 1;
  int64_t threads = 0;
  int64_t context = 0;
  uint64_t kv_cache = 1ull << 30;
  std::string kv_dtype = "F16";
  double prefill_slowdown = EngineOptions().prefill_slowdown;
  int64_t speculate = EngineOptions().speculate;
  bool prefix_cache = true;
  std::string isa;

  void AddTo(Settings& settings);
  // Also makes the kernels use the instruction set that is asked for.
  Result<EngineOptions> Apply() const;
};

// An engine with its model loaded, and how long that took.
struct LoadedEngine {
  std::unique_ptr<Engine> engine;
  double load_seconds = 0;
  // All that the model is on, and what NVML knows it by; none: the processor.
  struct Gpu {
    std::string name, uuid;
  };
  std::vector<Gpu> gpus;
};

// "NAME=FOLDER".
struct NamedAdapter {
  std::string name;
  std::filesystem::path folder;
};
Result<std::vector<NamedAdapter>> ParseAdapters(std::span<const std::string> given);

// Finds the settings' model, loads it onto their devices with progress, adds the adapters, and
// starts the engine: of one replica a device, or a group of devices. `options` are Apply's, and
// what the command adds.
Result<LoadedEngine> StartEngine(const EngineSettings& settings, EngineOptions options,
                                 std::span<const NamedAdapter> adapters = {});

}  // namespace jikji

#endif  // JIKJI_APP_ENGINE_SETTINGS_H_
