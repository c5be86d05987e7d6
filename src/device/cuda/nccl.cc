#include "device/cuda/nccl.h"

#include <fmt/format.h>

#include <utility>

namespace jikji::device::cuda {
namespace {

constexpr int kOldestVersion = 21800;  // 2.18.0

std::unexpected<Error> Unavailable(std::string message, std::string where) {
  return Fail(ErrorCode::kUnavailable, std::move(message), std::move(where));
}

}  // namespace

Result<std::shared_ptr<const Nccl>> Nccl::Open(const std::string& path) {
  auto library = SharedLibrary::Open(path);
  if (!library) {
    return Unavailable(
        "no NCCL: its library cannot be opened; install NVIDIA's package libnccl2, 2.18 or later, "
        "or leave --tensor-parallel out",
        library.error().message);
  }
  auto nccl = std::make_shared<Nccl>();
  nccl->library_ = std::move(*library);
#define JIKJI_NCCL_LOOK_UP(Name, symbol, args)                                              \
  nccl->Name = nccl->library_.Find<NcclStatus(*) args>(#symbol);                            \
  if (nccl->Name == nullptr) {                                                              \
    return Unavailable("NCCL has no " #symbol "; install libnccl2 of 2.18 or later", path); \
  }
  JIKJI_NCCL_FUNCTIONS(JIKJI_NCCL_LOOK_UP)
#undef JIKJI_NCCL_LOOK_UP
  nccl->error_string_ = nccl->library_.Find<const char* (*)(NcclStatus)>("ncclGetErrorString");
  int version = 0;
  JIKJI_RETURN_IF_ERROR(nccl->Check(nccl->GetVersion(&version), "asking for NCCL's version"));
  if (version < kOldestVersion) {
    return Unavailable(fmt::format("NCCL is {}.{}.{}; install libnccl2 of 2.18 or later",
                                   version / 10000, version / 100 % 100, version % 100),
                       path);
  }
  return nccl;
}

Result<> Nccl::Check(NcclStatus status, std::string_view what) const {
  if (status == kNcclSuccess) return {};
  const char* const text = error_string_ == nullptr ? nullptr : error_string_(status);
  return Fail(ErrorCode::kUnavailable,
              fmt::format("{} failed: {} (NCCL, {})", what,
                          text == nullptr ? "no description" : text, status));
}

}  // namespace jikji::device::cuda
