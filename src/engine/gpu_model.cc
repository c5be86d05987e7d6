#include "engine/gpu_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/cache_plan.h"
#include "engine/page_allocator.h"
#include "model/gpu/gpu_adapters.h"
#include "model/gpu/gpu_ranks.h"
#include "model/kv_cache.h"
#include "model/peft_adapter.h"

namespace jikji {
namespace {

constexpr uint64_t kDriverUnit = 2ull << 20;  // cuMemAlloc hands out whole ones
constexpr uint64_t kDriverOwn = 64ull << 20;  // code of kernels is put on the device as they run
constexpr uint64_t kNcclOwn = 512ull << 20;   // its buffers; not measured

uint64_t Rounded(uint64_t bytes) { return (bytes + kDriverUnit - 1) / kDriverUnit * kDriverUnit; }

}  // namespace

uint64_t GpuPlan::total() const {
  uint64_t adapters = 0;
  for (const uint64_t bytes : adapter_bytes) adapters += Rounded(bytes);
  const uint64_t exchange = exchange_bytes == 0 ? 0 : Rounded(exchange_bytes) + kNcclOwn;
  return Rounded(weight_bytes) + Rounded(kv_bytes) + Rounded(scratch_bytes) + exchange + adapters +
         kDriverOwn;
}

Result<GpuPlan> PlanGpu(const ModelDescription& description, const EngineOptions& options,
                        std::span<const std::filesystem::path> adapters, const GpuCut& cut) {
  const DecoderSpec& spec = description.spec;
  JIKJI_RETURN_IF_ERROR(KvCache::CheckOnDevice(options.page_tokens, options.kv_dtype));
  JIKJI_RETURN_IF_ERROR(CheckCut(spec, cut));
  JIKJI_ASSIGN(const CachePlan cache, PlanCache(spec, options));
  GpuPlan plan;
  // Where those that decode fill a step, prompts still get a token.
  plan.limits = {.rows = std::max(options.step_tokens, options.max_running + 1),
                 .slices = options.max_running,
                 .pages = static_cast<int32_t>(PagesFor(cache.context, options.page_tokens))};
  for (const std::filesystem::path& folder : adapters) {
    JIKJI_ASSIGN(const PeftAdapter adapter, PeftAdapter::Open(folder, spec));
    JIKJI_ASSIGN(plan.adapter_bytes.emplace_back(), GpuAdapterBytes(adapter, cut));
    ++plan.limits.adapters;
    plan.limits.adapter_rank =
        std::max(plan.limits.adapter_rank, static_cast<int32_t>(adapter.config.rank));
    plan.limits.adapter_vocab = std::max(plan.limits.adapter_vocab, adapter.vocab);
  }
  JIKJI_ASSIGN(const GpuMemory memory,
               PlanGpuMemory(*description.checkpoint, spec, plan.limits, cut));
  plan.weight_bytes = memory.weights;
  plan.scratch_bytes = memory.scratch;
  plan.exchange_bytes = memory.exchange;
  plan.kv_bytes = static_cast<uint64_t>(cache.pages) *
                  KvCache::PageBytes(SpecOf(spec, cut), options.page_tokens, options.kv_dtype);
  return plan;
}

Result<Model> LoadModelOn(const std::shared_ptr<device::Device>& device,
                          ModelDescription description, const GpuPlan& plan,
                          const std::function<void(double)>& progress) {
  return LoadModelOn(GpuGroup{device}, std::move(description), {&plan, 1}, progress);
}

Result<std::vector<GpuPlan>> PlanGpus(const ModelDescription& description,
                                      const EngineOptions& options,
                                      std::span<const std::filesystem::path> adapters,
                                      const GpuGroup& devices) {
  std::vector<GpuPlan> plans;
  GpuCut cut = {.ranks = static_cast<int32_t>(devices.size())};
  for (; cut.rank < cut.ranks; ++cut.rank) {
    JIKJI_ASSIGN(GpuPlan plan, PlanGpu(description, options, adapters, cut));
    plans.push_back(std::move(plan));
  }
  return plans;
}

Result<Model> LoadModelOn(const GpuGroup& devices, ModelDescription description,
                          std::span<const GpuPlan> plans,
                          const std::function<void(double)>& progress) {
  for (size_t rank = 0; rank < devices.size(); ++rank) {
    JIKJI_ASSIGN(const device::Memory memory, devices[rank]->memory());
    if (plans[rank].total() <= memory.free_bytes) continue;
    return Fail(ErrorCode::kResourceExhausted,
                fmt::format("device {} of {} has {:.2f} GB free, and its part of the model takes "
                            "{:.2f} GB",
                            rank + 1, devices.size(), static_cast<double>(memory.free_bytes) / 1e9,
                            static_cast<double>(plans[rank].total()) / 1e9),
                description.path.string());
  }
  Model model;
  const GpuLimits& limits = plans.front().limits;
  if (devices.size() == 1) {
    JIKJI_ASSIGN(model.decoder, LoadGpuDecoder(devices.front(), description.checkpoint,
                                               description.spec, limits, progress));
  } else {
    JIKJI_ASSIGN(model.decoder,
                 LoadGpuRanks(devices, description.checkpoint, description.spec, limits, progress));
  }
  model.description = std::move(description);
  return model;
}

}  // namespace jikji
