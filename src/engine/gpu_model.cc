#include "engine/gpu_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/cache_plan.h"
#include "engine/page_allocator.h"
#include "model/gpu/gpu_adapters.h"
#include "model/kv_cache.h"
#include "model/peft_adapter.h"

namespace jikji {
namespace {

constexpr uint64_t kDriverUnit = 2ull << 20;  // cuMemAlloc hands out whole ones
constexpr uint64_t kDriverOwn = 64ull << 20;  // code of kernels is put on the device as they run

uint64_t Rounded(uint64_t bytes) { return (bytes + kDriverUnit - 1) / kDriverUnit * kDriverUnit; }

}  // namespace

uint64_t GpuPlan::total() const {
  uint64_t adapters = 0;
  for (const uint64_t bytes : adapter_bytes) adapters += Rounded(bytes);
  return Rounded(weight_bytes) + Rounded(kv_bytes) + Rounded(scratch_bytes) + adapters + kDriverOwn;
}

Result<GpuPlan> PlanGpu(const ModelDescription& description, const EngineOptions& options,
                        std::span<const std::filesystem::path> adapters) {
  const DecoderSpec& spec = description.spec;
  JIKJI_RETURN_IF_ERROR(KvCache::CheckOnDevice(options.page_tokens, options.kv_dtype));
  JIKJI_ASSIGN(const CachePlan cache, PlanCache(spec, options));
  GpuPlan plan;
  // Where those that decode fill a step, prompts still get a token.
  plan.limits = {.rows = std::max(options.step_tokens, options.max_running + 1),
                 .slices = options.max_running,
                 .pages = static_cast<int32_t>(PagesFor(cache.context, options.page_tokens))};
  for (const std::filesystem::path& folder : adapters) {
    JIKJI_ASSIGN(const PeftAdapter adapter, PeftAdapter::Open(folder, spec));
    plan.adapter_bytes.push_back(GpuAdapterBytes(adapter));
    ++plan.limits.adapters;
    plan.limits.adapter_rank =
        std::max(plan.limits.adapter_rank, static_cast<int32_t>(adapter.config.rank));
    plan.limits.adapter_vocab = std::max(plan.limits.adapter_vocab, adapter.vocab);
  }
  JIKJI_ASSIGN(const GpuMemory memory, PlanGpuMemory(*description.checkpoint, spec, plan.limits));
  plan.weight_bytes = memory.weights;
  plan.scratch_bytes = memory.scratch;
  plan.kv_bytes = static_cast<uint64_t>(cache.pages) *
                  KvCache::PageBytes(spec, options.page_tokens, options.kv_dtype);
  return plan;
}

Result<Model> LoadModelOn(const std::shared_ptr<device::Device>& device,
                          ModelDescription description, const GpuPlan& plan,
                          const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(const device::Memory memory, device->memory());
  if (plan.total() > memory.free_bytes) {
    return Fail(ErrorCode::kResourceExhausted,
                fmt::format("the device has {:.2f} GB free, and the model takes {:.2f} GB",
                            static_cast<double>(memory.free_bytes) / 1e9,
                            static_cast<double>(plan.total()) / 1e9),
                description.path.string());
  }
  Model model;
  JIKJI_ASSIGN(model.decoder, LoadGpuDecoder(device, description.checkpoint, description.spec,
                                             plan.limits, progress));
  model.description = std::move(description);
  return model;
}

}  // namespace jikji
