// A device: memory of its own, and kernels that run on it one after another. Implementations: an
// NVIDIA GPU through its driver (cuda/), and the emulated one (emulated/), which runs the same
// kernels on the processor and is for tests.
//
// Contract: calls come from one thread at a time. Launches and copies take effect in the order of
// the calls; CopyToHost and Synchronize wait for all before them, and report what went wrong in any
// of them, as Wait does of those before its mark. Nothing else waits for the device.
// kResourceExhausted: no memory, nothing has changed; kUnavailable: the device is lost or in error,
// and every call from then on says so. Non-goals: several streams, host functions.
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

// Memory of a device, or of the host for it, freed with this object, which must not outlive the
// device.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device* device, std::byte* data, uint64_t bytes, bool of_host = false)
      : device_(device), data_(data), bytes_(bytes), of_host_(of_host) {}
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  uint64_t bytes() const { return bytes_; }
  // An address on the device: only kernels may follow it. AllocateHost's: an address on the host.
  std::byte* data() const { return data_; }
  template <class T>
  T* As() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  Device* device_ = nullptr;
  std::byte* data_ = nullptr;
  uint64_t bytes_ = 0;
  bool of_host_ = false;
};

// Launches that are done again, in their order and with their arguments, at the price of one. Must
// not outlive the device.
class Graph {
 public:
  virtual ~Graph() = default;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual const Properties& properties() const = 0;
  virtual Result<Memory> memory() = 0;

  // Aligned to 256 bytes; what it holds is not said.
  virtual Result<Buffer> Allocate(uint64_t bytes) = 0;
  // Memory of the host that the device reads and writes by itself (page-locked).
  virtual Result<Buffer> AllocateHost(uint64_t bytes) = 0;

  // What is at `from` may change when the call has returned; if it is of AllocateHost, only once a
  // mark behind this call was waited for (or Synchronize).
  virtual Result<> CopyToDevice(std::byte* to, const void* from, uint64_t bytes) = 0;
  virtual Result<> CopyToHost(void* to, const std::byte* from, uint64_t bytes) = 0;
  // `to` is of AllocateHost. The bytes are there once a mark behind this call was waited for.
  virtual Result<> StartCopyToHost(std::byte* to, const std::byte* from, uint64_t bytes) = 0;
  virtual Result<> Fill(std::byte* to, uint8_t value, uint64_t bytes) = 0;
  virtual Result<> Synchronize() = 0;

  // Marks the place behind all calls so far, one of kMarks; Wait comes back when the device has
  // passed it. One that was never set is passed. Whose they are: 0 and 1 of a step's inputs
  // (gpu_inputs.h), 2 and 3 of staging.h, 4 and 5 of what steps chose (gpu_chosen.h).
  static constexpr size_t kMarks = 6;
  virtual Result<> Mark(size_t mark) = 0;
  virtual Result<> Wait(size_t mark) = 0;

  // Of devices that were joined (emulated_device.h, cuda/nccl.h): what each has at `from` goes to
  // `to` of all, `bytes` of each, in the order of their ranks. Each of them makes the same calls,
  // on a thread of its own. `from` and `to` do not overlap. kUnavailable once one has left.
  virtual Result<> AllGather(const std::byte* from, std::byte* to, uint64_t bytes);
  // From any thread, where this device can go on no more: those that it is joined with do not wait
  // for it, and their gathers, under way or to come, are errors.
  virtual void Leave() {}

  // The launches and gathers of `body` as a graph; none of them is done. `body` calls nothing else
  // of the device. kResourceExhausted leaves the device as it was.
  template <class Body>
  Result<std::unique_ptr<Graph>> Record(const Body& body) {
    JIKJI_RETURN_IF_ERROR(BeginRecord());
    const Result<> done = body();
    auto graph = EndRecord();
    if (!done) return std::unexpected(done.error());
    return graph;
  }
  // One of this device's.
  virtual Result<> Launch(const Graph& graph) = 0;

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
  virtual Result<> BeginRecord() = 0;
  virtual Result<std::unique_ptr<Graph>> EndRecord() = 0;
  virtual void Free(std::byte* data) = 0;
  virtual void FreeHost(std::byte* data) = 0;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_DEVICE_H_
