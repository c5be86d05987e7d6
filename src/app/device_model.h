// A model on the device that the user names, with errors in the user's language: no driver, no such
// GPU, no room.
#ifndef JIKJI_APP_DEVICE_MODEL_H_
#define JIKJI_APP_DEVICE_MODEL_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/device.h"
#include "engine/engine.h"
#include "model/model.h"

namespace jikji {

inline constexpr const char* kProcessor = "cpu";

// kProcessor: none. "cuda:N", "cuda:N,M": GPUs, opened.
Result<std::vector<std::shared_ptr<device::Device>>> OpenDevices(const std::string& name);
// For what uses one at most: nullptr is the processor.
Result<std::shared_ptr<device::Device>> OpenDevice(const std::string& name);

// On the device, or on the processor where that is nullptr. The plan of a device's memory is made,
// held against what is free, and told, before weights are read.
// `adapters`: folders of all that will be added.
Result<Model> LoadModelOn(const std::shared_ptr<device::Device>& device,
                          const std::filesystem::path& path, const EngineOptions& options,
                          const std::function<void(double)>& progress,
                          std::span<const std::filesystem::path> adapters = {});

}  // namespace jikji

#endif  // JIKJI_APP_DEVICE_MODEL_H_
