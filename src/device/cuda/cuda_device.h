// An NVIDIA GPU as a Device, through its driver.
//
// Kernels come as PTX, which the driver compiles for the chip when the device is opened (and keeps
// in its own cache on disk). Needs compute capability 8.0.
#ifndef JIKJI_DEVICE_CUDA_CUDA_DEVICE_H_
#define JIKJI_DEVICE_CUDA_CUDA_DEVICE_H_

#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "device/cuda/driver_api.h"
#include "device/cuda/nccl.h"
#include "device/device.h"

namespace jikji::device::cuda {

// All GPUs, in the driver's order; nothing is started on them.
Result<std::vector<Properties>> ListDevices(const Driver& driver);

// `modules`: PTX, each ending with a zero byte.
Result<std::unique_ptr<Device>> OpenDevice(std::shared_ptr<const Driver> driver, int number,
                                           std::span<const char* const> modules);

// Joins devices of OpenDevice for AllGather, ranks in this order; each is joined once at most.
Result<> JoinDevices(std::shared_ptr<const Nccl> nccl,
                     std::span<const std::shared_ptr<Device>> devices);

}  // namespace jikji::device::cuda

#endif  // JIKJI_DEVICE_CUDA_CUDA_DEVICE_H_
