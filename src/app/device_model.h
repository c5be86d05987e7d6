// A model on the device that the user names, with errors in the user's language: no driver, no such
// GPU, no room.
#ifndef JIKJI_APP_DEVICE_MODEL_H_
#define JIKJI_APP_DEVICE_MODEL_H_

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/gpu_model.h"
#include "model/model.h"

namespace jikji {

inline constexpr const char* kProcessor = "cpu";

// kProcessor: none. "cuda:N", "cuda:N,M": GPUs, opened, for a copy of the model on each; with
// `ranks`, on so many of them, in their order, which are joined.
Result<std::vector<GpuGroup>> OpenGpus(const std::string& name, int64_t ranks);
// For what has one copy of a model: none is the processor.
Result<GpuGroup> OpenOneCopy(const std::string& name, int64_t ranks);

// On the devices, or on the processor where there are none. The plan of each one's memory is made,
// held against what is free, and told, before weights are read.
// `adapters`: folders of all that will be added.
Result<Model> LoadModelOn(const GpuGroup& devices, const std::filesystem::path& path,
                          const EngineOptions& options, const std::function<void(double)>& progress,
                          std::span<const std::filesystem::path> adapters = {});

}  // namespace jikji

#endif  // JIKJI_APP_DEVICE_MODEL_H_
