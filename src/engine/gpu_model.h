// A model on a device for an engine of given options: how much memory it will take, to be told
// before the first byte is loaded, and the loading.
#ifndef JIKJI_ENGINE_GPU_MODEL_H_
#define JIKJI_ENGINE_GPU_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "device/device.h"
#include "engine/engine.h"
#include "model/gpu/gpu_decoder.h"
#include "model/model.h"

namespace jikji {

struct GpuPlan {
  GpuLimits limits;
  uint64_t weight_bytes = 0;
  uint64_t kv_bytes = 0;
  uint64_t scratch_bytes = 0;   // of the largest step
  uint64_t exchange_bytes = 0;  // of the same, where several devices compute it
  std::vector<uint64_t> adapter_bytes;
  // All of it, each as the driver rounds it up, and some for what the driver itself takes when
  // kernels run for the first time, and the library that devices exchange by.
  uint64_t total() const;
};

// Errors are of the model (PlanGpuMemory), of the options (PlanCache) or of an adapter. `adapters`:
// folders of all that will be added. With a cut, the plan is of one rank; the KV cache of the
// options is that of all ranks together.
Result<GpuPlan> PlanGpu(const ModelDescription& description, const EngineOptions& options,
                        std::span<const std::filesystem::path> adapters = {},
                        const GpuCut& cut = {});

// kResourceExhausted, and nothing is loaded, where the device has less free than the plan's total.
Result<Model> LoadModelOn(const std::shared_ptr<device::Device>& device,
                          ModelDescription description, const GpuPlan& plan,
                          const std::function<void(double)>& progress = {});

// A device alone, or several that were joined, with the plan of each: kResourceExhausted where one
// of them has less free than it takes.
using GpuGroup = std::vector<std::shared_ptr<device::Device>>;
Result<std::vector<GpuPlan>> PlanGpus(const ModelDescription& description,
                                      const EngineOptions& options,
                                      std::span<const std::filesystem::path> adapters,
                                      const GpuGroup& devices);
Result<Model> LoadModelOn(const GpuGroup& devices, ModelDescription description,
                          std::span<const GpuPlan> plans,
                          const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ENGINE_GPU_MODEL_H_
