// A device: memory of its own, and kernels that run on it one after another. Implementations: an
// NVIDIA GPU through its driver (cuda/), and the emulated one (emulated/), which runs the same
// kernels on the processor and is for tests.
//
// Contract: calls come from one thread at a time. Launches and copies take effect in the order of
// the calls; CopyToHost and Synchronize wait for all before them, and report what went wrong in any
// of them. kResourceExhausted: no memory, nothing has changed; kUnavailable: the device is lost or
// in error, and every call from then on says so. Non-goals: several streams, host functions.
#ifndef JIKJI_DEVICE_DEVICE_H_
#define JIKJI_DEVICE_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "device/kernel.h"

namespace jikji::device {

struct Properties {
  std::string name;              // "NVIDIA H200"
  std::string uuid = {};         // "GPU-01234567-89ab-...", as NVML has it; empty: none
  std::string driver;            // version of CUDA that the driver speaks, "13.0"; "emulated"
  int32_t major = 0, minor = 0;  // compute capability
  int32_t processors = 1;        // streaming multiprocessors
  uint64_t memory_bytes = 0;
};

struct Memory {
  uint64_t free_bytes = 0;
  uint64_t total_bytes = 0;
};

struct Grid {
  uint32_t x = 1;
  uint32_t y = 1;
};

class Device;

// Memory of a device, freed with this object, which must not outlive the device.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device* device, std::byte* data, uint64_t bytes)
      : device_(device), data_(data), bytes_(bytes) {}
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  uint64_t bytes() const { return bytes_; }
  // An address on the device: only kernels may follow it.
  std::byte* data() const { return data_; }
  template <class T>
  T* As() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  Device* device_ = nullptr;
  std::byte* data_ = nullptr;
  uint64_t bytes_ = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual const Properties& properties() const = 0;
  virtual Result<Memory> memory() = 0;

  // Aligned to 256 bytes; what it holds is not said.
  virtual Result<Buffer> Allocate(uint64_t bytes) = 0;
  virtual Result<> CopyToDevice(std::byte* to, const void* from, uint64_t bytes) = 0;
  virtual Result<> CopyToHost(void* to, const std::byte* from, uint64_t bytes) = 0;
  virtual Result<> Fill(std::byte* to, uint8_t value, uint64_t bytes) = 0;
  virtual Result<> Synchronize() = 0;

  // Does nothing where the grid is empty.
  template <class Args>
  Result<> Launch(const Kernel<Args>& kernel, Grid grid, const Args& args) {
    if (grid.x == 0 || grid.y == 0) return {};
    return LaunchErased(
        {kernel.name, kernel.threads, reinterpret_cast<void (*)()>(kernel.body),
         [](void (*body)(), const void* erased) {
           reinterpret_cast<void (*)(const Args&)>(body)(*static_cast<const Args*>(erased));
         },
         &args, sizeof args},
        grid);
  }

 protected:
  friend class Buffer;
  struct ErasedLaunch {
    const char* name;
    uint32_t threads;
    void (*body)();
    void (*call)(void (*body)(), const void* args);
    const void* args;
    size_t args_bytes;
  };
  virtual Result<> LaunchErased(const ErasedLaunch& launch, Grid grid) = 0;
  virtual void Free(std::byte* data) = 0;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_DEVICE_H_
