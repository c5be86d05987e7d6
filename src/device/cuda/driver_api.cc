#include "device/cuda/driver_api.h"

#include <fmt/format.h>

#include <utility>

namespace jikji::device::cuda {
namespace {

constexpr int kOldestVersion = 12040;  // CUDA 12.4

std::unexpected<Error> Unavailable(std::string message, std::string where = {}) {
  return Fail(ErrorCode::kUnavailable, std::move(message), std::move(where));
}

}  // namespace

Result<std::shared_ptr<const Driver>> Driver::Open(const std::string& path) {
  auto library = SharedLibrary::Open(path);
  if (!library) {
    return Unavailable(
        "no NVIDIA driver: its library cannot be opened; install the driver for CUDA 12.4 or later "
        "(in a container: run it with the NVIDIA runtime), or serve on the processor",
        library.error().message);
  }
  auto driver = std::make_shared<Driver>();
  driver->library_ = std::move(*library);
#define JIKJI_CUDA_LOOK_UP(Name, symbol, args)                                                     \
  driver->Name = driver->library_.Find<Status(*) args>(#symbol);                                   \
  if (driver->Name == nullptr) {                                                                   \
    return Unavailable("the NVIDIA driver has no " #symbol "; install one for CUDA 12.4 or later", \
                       path);                                                                      \
  }
  JIKJI_CUDA_FUNCTIONS(JIKJI_CUDA_LOOK_UP)
#undef JIKJI_CUDA_LOOK_UP
  JIKJI_RETURN_IF_ERROR(driver->Check(driver->Init(0), "starting the NVIDIA driver"));
  JIKJI_RETURN_IF_ERROR(driver->Check(driver->DriverGetVersion(&driver->version_),
                                      "asking for the driver's version"));
  if (driver->version_ < kOldestVersion) {
    return Unavailable(
        fmt::format("the NVIDIA driver is for CUDA {}; install one for 12.4 or later",
                    driver->VersionText()),
        path);
  }
  JIKJI_RETURN_IF_ERROR(
      driver->Check(driver->DeviceGetCount(&driver->devices_), "counting the devices"));
  if (driver->devices_ < 1) return Unavailable("the NVIDIA driver finds no GPU", path);
  return driver;
}

std::string Driver::VersionText() const {
  return fmt::format("{}.{}", version_ / 1000, version_ % 1000 / 10);
}

Result<> Driver::Check(Status status, std::string_view what) const {
  if (status == kSuccess) return {};
  const char *name = nullptr, *text = nullptr;
  if (GetErrorName(status, &name) != kSuccess || name == nullptr) name = "unknown error";
  if (GetErrorString(status, &text) != kSuccess || text == nullptr) text = "no description";
  return Fail(status == kOutOfMemory ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable,
              fmt::format("{} failed: {} ({}, {})", what, text, name, status));
}

}  // namespace jikji::device::cuda
