#include "measure/gpu_monitor.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/shared_library.h"
#include "measure/nvml_api.h"

namespace jikji::measure {
namespace {

using nvml::Status;

Result<> Check(Status status, std::string_view what) {
  switch (status) {
    case nvml::kSuccess:
      return {};
    case nvml::kDriverNotLoaded:
      return Fail(ErrorCode::kUnavailable,
                  "NVIDIA's driver is installed but not loaded; `modprobe nvidia` loads it");
    case nvml::kVersionMismatch:
      return Fail(ErrorCode::kUnavailable,
                  "NVIDIA's driver was replaced while the old one is loaded; restart the machine");
    case nvml::kGpuIsLost:
    case nvml::kResetRequired:
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("{}: the GPU is lost; restart the machine", what));
    default:
      return Fail(
          ErrorCode::kUnavailable,
          fmt::format("{}: NVML refuses with error {}; `nvidia-smi` may tell more", what, status));
  }
}

// What a GPU tells, or nothing where it does not have it. Anything but that is noted in `failed`.
template <class Out, class In, class Function, class... Extra>
std::optional<Out> Ask(Status& failed, double scale, Function function, nvml::Device device,
                       Extra... extra) {
  In value{};
  const Status status = function(device, extra..., &value);
  if (status == nvml::kSuccess) return static_cast<Out>(static_cast<double>(value) * scale);
  if (status != nvml::kNotSupported && failed == nvml::kSuccess) failed = status;
  return std::nullopt;
}

std::optional<nvml::Memory> AskMemory(Status& failed,
                                      Status (*function)(nvml::Device, nvml::Memory*),
                                      nvml::Device device) {
  nvml::Memory memory{};
  const Status status = function(device, &memory);
  if (status == nvml::kSuccess) return memory;
  if (status != nvml::kNotSupported && failed == nvml::kSuccess) failed = status;
  return std::nullopt;
}

}  // namespace

struct GpuMonitor::Library {
  SharedLibrary library;
  bool started = false;
#define JIKJI_MEMBER(member, symbol, parameters) nvml::Status(*member) parameters = nullptr;
  struct Functions {
    using Device = nvml::Device;
    using Memory = nvml::Memory;
    JIKJI_NVML_FUNCTIONS(JIKJI_MEMBER)
  } call;
#undef JIKJI_MEMBER

  Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (started) (void)call.Shutdown();
  }

  Result<> Load(const char* name) {
    auto opened = SharedLibrary::Open(name);
    if (!opened) {
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("there is no NVIDIA driver that works on this machine: {}",
                              opened.error().message));
    }
    library = std::move(*opened);
#define JIKJI_FIND(member, symbol, parameters)                \
  call.member = library.Find<decltype(call.member)>(#symbol); \
  if (call.member == nullptr) return TooOld(#symbol);
    JIKJI_NVML_FUNCTIONS(JIKJI_FIND)
#undef JIKJI_FIND
    JIKJI_RETURN_IF_ERROR(Check(call.Init(), "starting NVML"));
    started = true;
    return {};
  }

  static std::unexpected<Error> TooOld(const char* symbol) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("NVIDIA's driver is too old (its NVML has no {}); install 525 or newer",
                            symbol));
  }
};

GpuMonitor::GpuMonitor(std::unique_ptr<Library> library) : library_(std::move(library)) {}
GpuMonitor::~GpuMonitor() = default;

Result<std::unique_ptr<GpuMonitor>> GpuMonitor::Open(const char* library) {
  auto loaded = std::make_unique<Library>();
  JIKJI_RETURN_IF_ERROR(loaded->Load(library));
  std::unique_ptr<GpuMonitor> monitor(new GpuMonitor(std::move(loaded)));
  JIKJI_RETURN_IF_ERROR(monitor->Describe());
  return monitor;
}

Result<> GpuMonitor::Describe() {
  const auto& call = library_->call;
  std::array<char, nvml::kTextBytes> text{};
  JIKJI_RETURN_IF_ERROR(
      Check(call.DriverVersion(text.data(), nvml::kTextBytes), "asking for the driver's version"));
  driver_version_ = text.data();
  int cuda = 0;
  JIKJI_RETURN_IF_ERROR(Check(call.CudaVersion(&cuda), "asking for CUDA's version"));
  cuda_version_ = fmt::format("{}.{}", cuda / 1000, cuda % 1000 / 10);
  unsigned count = 0;
  JIKJI_RETURN_IF_ERROR(Check(call.Count(&count), "counting GPUs"));
  for (unsigned index = 0; index < count; ++index) {
    JIKJI_ASSIGN(GpuInfo info, DescribeGpu(index));
    gpus_.push_back(std::move(info));
  }
  return {};
}

Result<GpuInfo> GpuMonitor::DescribeGpu(unsigned index) {
  const auto& call = library_->call;
  const std::string which = fmt::format("asking GPU {}", index);
  nvml::Device device = nullptr;
  JIKJI_RETURN_IF_ERROR(Check(call.Handle(index, &device), which));
  handles_.push_back(device);
  GpuInfo info;
  std::array<char, nvml::kTextBytes> text{};
  JIKJI_RETURN_IF_ERROR(Check(call.Name(device, text.data(), nvml::kTextBytes), which));
  info.name = text.data();
  JIKJI_RETURN_IF_ERROR(Check(call.Uuid(device, text.data(), nvml::kTextBytes), which));
  info.uuid = text.data();
  JIKJI_RETURN_IF_ERROR(Check(call.Capability(device, &info.major, &info.minor), which));
  Status failed = nvml::kSuccess;
  if (const auto memory = AskMemory(failed, call.MemoryInfo, device)) {
    info.memory_bytes = memory->total;
  }
  info.limit_watts = Ask<double, unsigned>(failed, 1e-3, call.PowerLimit, device);
  info.max_sm_mhz = Ask<uint32_t, unsigned>(failed, 1, call.MaxClock, device, nvml::kSmClock);
  info.max_memory_mhz =
      Ask<uint32_t, unsigned>(failed, 1, call.MaxClock, device, nvml::kMemoryClock);
  JIKJI_RETURN_IF_ERROR(Check(failed, which));
  return info;
}

Result<GpuReading> GpuMonitor::Read(size_t gpu) const {
  const auto& call = library_->call;
  const nvml::Device device = handles_[gpu];
  Status failed = nvml::kSuccess;
  GpuReading out;
  if (const auto memory = AskMemory(failed, call.MemoryInfo, device)) {
    out.used_bytes = memory->used;
  }
  using Counter = unsigned long long;
  out.watts = Ask<double, unsigned>(failed, 1e-3, call.Power, device);
  out.joules = Ask<double, Counter>(failed, 1e-3, call.Energy, device);
  out.sm_mhz = Ask<uint32_t, unsigned>(failed, 1, call.Clock, device, nvml::kSmClock);
  out.memory_mhz = Ask<uint32_t, unsigned>(failed, 1, call.Clock, device, nvml::kMemoryClock);
  out.celsius = Ask<uint32_t, unsigned>(failed, 1, call.Temperature, device, nvml::kCoreSensor);
  out.uncorrected_errors = Ask<uint64_t, Counter>(failed, 1, call.EccErrors, device,
                                                  nvml::kUncorrected, nvml::kVolatile);
  JIKJI_RETURN_IF_ERROR(Check(failed, fmt::format("reading GPU {}", gpu)));
  return out;
}

}  // namespace jikji::measure
