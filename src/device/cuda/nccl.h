// NVIDIA's library for what GPUs send each other, NCCL, libnccl.so.2, found at run time like the
// driver (driver_api.h), and needed only where devices are joined.
//
// The declarations are our own, of the functions used here, as nccl.h of 2.18 has them.
#ifndef JIKJI_DEVICE_CUDA_NCCL_H_
#define JIKJI_DEVICE_CUDA_NCCL_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/shared_library.h"
#include "device/cuda/driver_api.h"

namespace jikji::device::cuda {

using NcclStatus = int;  // ncclResult_t
inline constexpr NcclStatus kNcclSuccess = 0;
using NcclComm = struct ncclComm*;
inline constexpr int kNcclInt8 = 0;  // ncclDataType_t

// ncclCommInitAll makes the communicators of one process's GPUs, by the driver's numbers.
#define JIKJI_NCCL_FUNCTIONS(X)                                                         \
  X(GetVersion, ncclGetVersion, (int* version))                                         \
  X(CommInitAll, ncclCommInitAll, (NcclComm * comms, int count, const int* numbers))    \
  X(AllGather, ncclAllGather,                                                           \
    (const void* from, void* to, size_t count, int type, NcclComm comm, Stream stream)) \
  X(CommDestroy, ncclCommDestroy, (NcclComm comm))                                      \
  X(CommAbort, ncclCommAbort, (NcclComm comm))

class Nccl {
 public:
  // kUnavailable where there is none, or it is too old; says what to install.
  static Result<std::shared_ptr<const Nccl>> Open(const std::string& path = "libnccl.so.2");

  // kUnavailable; `what` is what was tried.
  Result<> Check(NcclStatus status, std::string_view what) const;

#define JIKJI_NCCL_MEMBER(Name, symbol, args) NcclStatus(*Name) args = nullptr;
  JIKJI_NCCL_FUNCTIONS(JIKJI_NCCL_MEMBER)
#undef JIKJI_NCCL_MEMBER

 private:
  SharedLibrary library_;
  const char* (*error_string_)(NcclStatus status) = nullptr;
};

}  // namespace jikji::device::cuda

#endif  // JIKJI_DEVICE_CUDA_NCCL_H_
