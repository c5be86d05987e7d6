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

// What could not be opened, with what to do in the user's language.
template <class T>
Result<T> InTheirLanguage(Result<T> opened, std::string_view korean) {
  if (opened || !SpeaksKorean()) return opened;
  Error error = std::move(opened).error();
  error.message = fmt::format("{} ({})", korean, error.message);
  return std::unexpected(std::move(error));
}

std::string TooLarge(const GpuPlan& plan, const device::Memory& memory,
                     const device::Properties& properties, size_t rank, size_t ranks) {
  uint64_t weights = plan.weight_bytes;  // adapters' too
  for (const uint64_t bytes : plan.adapter_bytes) weights += bytes;
  std::string what(Say("the model", "모델이"));
  if (ranks > 1) {
    what = fmt::format(fmt::runtime(Say("part {} of {} of the model", "모델의 {}/{} 부분이")),
                       rank + 1, ranks);
  }
  return fmt::format(
      fmt::runtime(Say(
          "{} does not fit: {} are needed ({} of weights, {} of KV cache, {} for a step), "
          "and {} of {}'s {} are free; lower --kv-cache, --context, --step-tokens or "
          "--max-running, cut the model over more GPUs by --tensor-parallel, or choose a smaller "
          "or quantised one",
          "{} 들어가지 않습니다. {}가 필요한데(가중치 {}, KV 캐시 {}, 한 단계 {}) 빈 메모리는 "
          "{}입니다({}, 전체 {}). --kv-cache, --context, --step-tokens, --max-running을 줄이거나 "
          "--tensor-parallel로 모델을 더 많은 GPU에 나누거나 더 작은 모델이나 양자화한 모델을 "
          "고르세요")),
      what, Gigabytes(plan.total()), Gigabytes(weights), Gigabytes(plan.kv_bytes),
      Gigabytes(plan.scratch_bytes + plan.exchange_bytes), Gigabytes(memory.free_bytes),
      properties.name, Gigabytes(memory.total_bytes));
}

}  // namespace

Result<std::vector<GpuGroup>> OpenGpus(const std::string& name, int64_t ranks) {
  std::vector<GpuGroup> groups;
  if (name == kProcessor) {
    if (ranks == 1) return groups;
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("--tensor-parallel cuts a model over GPUs: name them by --device",
                                "--tensor-parallel은 모델을 여러 GPU에 나눕니다. --device로 GPU를 "
                                "정하세요")));
  }
  const std::optional<std::vector<int>> numbers = NumbersOf(name);
  if (!numbers || numbers->empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say(
                    "a device is `cpu`, a GPU, as `cuda:0`, or several, as `cuda:0,1`",
                    "장치는 `cpu`, `cuda:0` 같은 GPU 하나, 또는 `cuda:0,1` 같은 여러 GPU입니다")),
                name);
  }
  const auto of_copy = static_cast<size_t>(ranks);
  if (numbers->size() % of_copy != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format(fmt::runtime(Say(
                                "--tensor-parallel {0} needs GPUs in groups of {0}, and --device "
                                "names {1}",
                                "--tensor-parallel {0}에는 GPU가 {0}개씩 필요한데 --device에는 "
                                "{1}개가 있습니다")),
                            ranks, numbers->size()),
                name);
  }
  JIKJI_ASSIGN(const auto driver,
               InTheirLanguage(device::cuda::Driver::Open(),
                               "NVIDIA 드라이버를 쓸 수 없습니다. CUDA 12.4 이상의 드라이버를 "
                               "설치하거나 --device 없이 실행하세요"));
  for (const int number : *numbers) {
    JIKJI_ASSIGN(auto device,
                 device::cuda::OpenDevice(driver, number, kernels::gpu::CodeModules()));
    if (groups.empty() || groups.back().size() == of_copy) groups.emplace_back();
    groups.back().push_back(std::move(device));
  }
  if (of_copy == 1) return groups;
  JIKJI_ASSIGN(const auto nccl,
               InTheirLanguage(device::cuda::Nccl::Open(),
                               "NCCL을 쓸 수 없습니다. NVIDIA의 libnccl2 패키지(2.18 이상)를 "
                               "설치하거나 --tensor-parallel 없이 실행하세요"));
  for (const GpuGroup& group : groups) {
    JIKJI_RETURN_IF_ERROR(device::cuda::JoinDevices(nccl, group));
  }
  return groups;
}

Result<GpuGroup> OpenOneCopy(const std::string& name, int64_t ranks) {
  const int64_t named = 1 + std::ranges::count(name, ',');
  if (named > ranks) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("this command has one copy of a model: as many GPUs as "
                                "--tensor-parallel says, or one, as `cuda:0`",
                                "이 명령은 모델을 하나만 올립니다. --tensor-parallel만큼의 GPU, "
                                "또는 `cuda:0`처럼 GPU 하나를 정하세요")),
                name);
  }
  JIKJI_ASSIGN(auto groups, OpenGpus(name, ranks));
  return groups.empty() ? GpuGroup() : std::move(groups.front());
}

Result<Model> LoadModelOn(const GpuGroup& devices, const std::filesystem::path& path,
                          const EngineOptions& options, const std::function<void(double)>& progress,
                          std::span<const std::filesystem::path> adapters) {
  if (devices.empty()) return LoadModel(path, progress);
  JIKJI_ASSIGN(ModelDescription description, DescribeModel(path));
  JIKJI_ASSIGN(const std::vector<GpuPlan> plans, PlanGpus(description, options, adapters, devices));
  for (size_t rank = 0; rank < devices.size(); ++rank) {
    JIKJI_ASSIGN(const device::Memory memory, devices[rank]->memory());
    if (plans[rank].total() <= memory.free_bytes) continue;
    return Fail(ErrorCode::kResourceExhausted,
                TooLarge(plans[rank], memory, devices[rank]->properties(), rank, devices.size()),
                path.string());
  }
  return LoadModelOn(devices, std::move(description), plans, progress);
}

}  // namespace jikji
