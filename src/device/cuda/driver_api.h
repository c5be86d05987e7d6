// NVIDIA's driver, libcuda.so.1, found at run time: one program runs with a GPU and without.
//
// The declarations are our own, of the functions used here, as the CUDA Driver API documents them
// (12.4 and later have all of them; names with a version are the current ABI). Nothing of CUDA's
// toolkit is needed to build.
#ifndef JIKJI_DEVICE_CUDA_DRIVER_API_H_
#define JIKJI_DEVICE_CUDA_DRIVER_API_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/shared_library.h"

namespace jikji::device::cuda {

using Status = int;  // CUresult
inline constexpr Status kSuccess = 0;
inline constexpr Status kOutOfMemory = 2;
inline constexpr Status kNotFound = 500;

using Ordinal = int;       // CUdevice
using Address = uint64_t;  // CUdeviceptr
using Context = struct CUctx_st*;
using Module = struct CUmod_st*;
using Function = struct CUfunc_st*;
using Stream = struct CUstream_st*;
using Event = struct CUevent_st*;
using GraphHandle = struct CUgraph_st*;
using GraphExec = struct CUgraphExec_st*;
struct Uuid {  // CUuuid
  char bytes[16];
};

// CUdevice_attribute
inline constexpr int kMultiprocessorCount = 16;
inline constexpr int kCapabilityMajor = 75;
inline constexpr int kCapabilityMinor = 76;

// CUstreamCaptureMode: what other threads do meanwhile is none of the capture's business
inline constexpr int kCaptureThreadLocal = 1;
// CUevent_flags: nobody asks when it was passed
inline constexpr unsigned kNoTiming = 2;

// CUjit_option
inline constexpr int kJitErrorLog = 5;
inline constexpr int kJitErrorLogBytes = 6;

// The functions, in the order in which they are looked up.
#define JIKJI_CUDA_FUNCTIONS(X)                                                                   \
  X(Init, cuInit, (unsigned flags))                                                               \
  X(DriverGetVersion, cuDriverGetVersion, (int* version))                                         \
  X(GetErrorName, cuGetErrorName, (Status status, const char** name))                             \
  X(GetErrorString, cuGetErrorString, (Status status, const char** text))                         \
  X(DeviceGetCount, cuDeviceGetCount, (int* count))                                               \
  X(DeviceGet, cuDeviceGet, (Ordinal * device, int number))                                       \
  X(DeviceGetName, cuDeviceGetName, (char* name, int bytes, Ordinal device))                      \
  X(DeviceGetUuid, cuDeviceGetUuid_v2, (Uuid * uuid, Ordinal device))                             \
  X(DeviceTotalMem, cuDeviceTotalMem_v2, (size_t * bytes, Ordinal device))                        \
  X(DeviceGetAttribute, cuDeviceGetAttribute, (int* value, int attribute, Ordinal device))        \
  X(PrimaryCtxRetain, cuDevicePrimaryCtxRetain, (Context * context, Ordinal device))              \
  X(PrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (Ordinal device))                            \
  X(CtxSetCurrent, cuCtxSetCurrent, (Context context))                                            \
  X(MemGetInfo, cuMemGetInfo_v2, (size_t * free, size_t * total))                                 \
  X(MemAlloc, cuMemAlloc_v2, (Address * address, size_t bytes))                                   \
  X(MemFree, cuMemFree_v2, (Address address))                                                     \
  X(MemHostAlloc, cuMemHostAlloc, (void** data, size_t bytes, unsigned flags))                    \
  X(MemFreeHost, cuMemFreeHost, (void* data))                                                     \
  X(MemcpyHtoDAsync, cuMemcpyHtoDAsync_v2,                                                        \
    (Address to, const void* from, size_t bytes, Stream stream))                                  \
  X(MemcpyDtoHAsync, cuMemcpyDtoHAsync_v2, (void* to, Address from, size_t bytes, Stream stream)) \
  X(MemsetD8Async, cuMemsetD8Async, (Address to, unsigned char value, size_t bytes, Stream s))    \
  X(StreamCreate, cuStreamCreate, (Stream * stream, unsigned flags))                              \
  X(StreamDestroy, cuStreamDestroy_v2, (Stream stream))                                           \
  X(StreamSynchronize, cuStreamSynchronize, (Stream stream))                                      \
  X(EventCreate, cuEventCreate, (Event * event, unsigned flags))                                  \
  X(EventRecord, cuEventRecord, (Event event, Stream stream))                                     \
  X(EventSynchronize, cuEventSynchronize, (Event event))                                          \
  X(EventDestroy, cuEventDestroy_v2, (Event event))                                               \
  X(StreamBeginCapture, cuStreamBeginCapture_v2, (Stream stream, int mode))                       \
  X(StreamEndCapture, cuStreamEndCapture, (Stream stream, GraphHandle * graph))                   \
  X(GraphInstantiate, cuGraphInstantiateWithFlags,                                                \
    (GraphExec * exec, GraphHandle graph, unsigned long long flags))                              \
  X(GraphLaunch, cuGraphLaunch, (GraphExec exec, Stream stream))                                  \
  X(GraphExecDestroy, cuGraphExecDestroy, (GraphExec exec))                                       \
  X(GraphDestroy, cuGraphDestroy, (GraphHandle graph))                                            \
  X(ModuleLoadDataEx, cuModuleLoadDataEx,                                                         \
    (Module * module, const void* image, unsigned options, int* option, void** value))            \
  X(ModuleUnload, cuModuleUnload, (Module module))                                                \
  X(ModuleGetFunction, cuModuleGetFunction,                                                       \
    (Function * function, Module module, const char* name))                                       \
  X(LaunchKernel, cuLaunchKernel,                                                                 \
    (Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,      \
     unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream stream, void** params,     \
     void** extra))

class Driver {
 public:
  // Opens the library (`path`: tests have one of their own) and starts it. kUnavailable where there
  // is none, it is too old, or it finds no device; each says what to do.
  static Result<std::shared_ptr<const Driver>> Open(const std::string& path = "libcuda.so.1");

  int version() const { return version_; }  // 13000 for CUDA 13.0
  std::string VersionText() const;
  int devices() const { return devices_; }

  // kResourceExhausted for a lack of memory, otherwise kUnavailable; `what` is what was tried.
  Result<> Check(Status status, std::string_view what) const;

#define JIKJI_CUDA_MEMBER(Name, symbol, args) Status(*Name) args = nullptr;
  JIKJI_CUDA_FUNCTIONS(JIKJI_CUDA_MEMBER)
#undef JIKJI_CUDA_MEMBER

 private:
  SharedLibrary library_;
  int version_ = 0;
  int devices_ = 0;
};

}  // namespace jikji::device::cuda

#endif  // JIKJI_DEVICE_CUDA_DRIVER_API_H_
