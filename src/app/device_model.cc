#include "app/device_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>
#include <string_view>
#include <utility>

#include "app/console.h"
#include "device/cuda/cuda_device.h"
#include "engine/gpu_model.h"
#include "kernels/gpu/code_modules.h"

namespace jikji {
namespace {

// The numbers of "cuda:N,M", each once.
std::optional<std::vector<int>> NumbersOf(std::string_view name) {
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::vector<int> numbers;
  for (const auto part : std::views::split(name.substr(kPrefix.size()), ',')) {
    int number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || end != part.data() + part.size() || number < 0 ||
        std::ranges::find(numbers, number) != numbers.end()) {
      return std::nullopt;
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::string Gigabytes(uint64_t bytes) {
  return fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
}

std::string TooLarge(const GpuPlan& plan, const device::Memory& memory,
                     const device::Properties& properties) {
  uint64_t weights = plan.weight_bytes;  // adapters' too
  for (const uint64_t bytes : plan.adapter_bytes) weights += bytes;
  return fmt::format(
      fmt::runtime(Say(
          "the model does not fit: {} are needed ({} of weights, {} of KV cache, {} for a step), "
          "and {} of {}'s {} are free; lower --kv-cache, --context, --step-tokens or "
          "--max-running, or choose a smaller or quantised model",
          "모델이 들어가지 않습니다. {}가 필요한데(가중치 {}, KV 캐시 {}, 한 단계 {}) 빈 메모리는 "
          "{}입니다({}, 전체 {}). --kv-cache, --context, --step-tokens, --max-running을 줄이거나 "
          "더 작은 모델이나 양자화한 모델을 고르세요")),
      Gigabytes(plan.total()), Gigabytes(weights), Gigabytes(plan.kv_bytes),
      Gigabytes(plan.scratch_bytes), Gigabytes(memory.free_bytes), properties.name,
      Gigabytes(memory.total_bytes));
}

}  // namespace

Result<std::vector<std::shared_ptr<device::Device>>> OpenDevices(const std::string& name) {
  std::vector<std::shared_ptr<device::Device>> devices;
  if (name == kProcessor) return devices;
  const std::optional<std::vector<int>> numbers = NumbersOf(name);
  if (!numbers || numbers->empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say(
                    "a device is `cpu`, a GPU, as `cuda:0`, or several, as `cuda:0,1`",
                    "장치는 `cpu`, `cuda:0` 같은 GPU 하나, 또는 `cuda:0,1` 같은 여러 GPU입니다")),
                name);
  }
  auto driver = device::cuda::Driver::Open();
  if (!driver) {
    Error error = std::move(driver).error();
    if (SpeaksKorean()) {
      error.message =
          "NVIDIA 드라이버를 쓸 수 없습니다. CUDA 12.4 이상의 드라이버를 설치하거나 "
          "--device 없이 실행하세요 (" +
          error.message + ")";
    }
    return std::unexpected(std::move(error));
  }
  for (const int number : *numbers) {
    JIKJI_ASSIGN(auto device,
                 device::cuda::OpenDevice(*driver, number, kernels::gpu::CodeModules()));
    devices.push_back(std::move(device));
  }
  return devices;
}

Result<std::shared_ptr<device::Device>> OpenDevice(const std::string& name) {
  if (name.contains(',')) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("this command uses one GPU, as `cuda:0`",
                                "이 명령은 `cuda:0`처럼 GPU 하나만 씁니다")),
                name);
  }
  JIKJI_ASSIGN(auto devices, OpenDevices(name));
  return devices.empty() ? nullptr : std::move(devices.front());
}

Result<Model> LoadModelOn(const std::shared_ptr<device::Device>& device,
                          const std::filesystem::path& path, const EngineOptions& options,
                          const std::function<void(double)>& progress,
                          std::span<const std::filesystem::path> adapters) {
  if (device == nullptr) return LoadModel(path, progress);
  JIKJI_ASSIGN(ModelDescription description, DescribeModel(path));
  JIKJI_ASSIGN(const GpuPlan plan, PlanGpu(description, options, adapters));
  JIKJI_ASSIGN(const device::Memory memory, device->memory());
  if (plan.total() > memory.free_bytes) {
    return Fail(ErrorCode::kResourceExhausted, TooLarge(plan, memory, device->properties()),
                path.string());
  }
  return LoadModelOn(device, std::move(description), plan, progress);
}

}  // namespace jikji
