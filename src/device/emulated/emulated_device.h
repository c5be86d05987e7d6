// A device that is not there: kernels run on one thread of the processor, exactly as their source
// says, some thousand times slower than on a chip, and as late as a device may run them. For tests.
#ifndef JIKJI_DEVICE_EMULATED_EMULATED_DEVICE_H_
#define JIKJI_DEVICE_EMULATED_EMULATED_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "device/device.h"
#include "device/emulated/rendezvous.h"

namespace jikji::device {

struct EmulatedOptions {
  uint64_t memory_bytes = 1ull << 30;
  // For tests of faults: called before each kernel runs with the kernel's name, and before each
  // gather with "AllGather"; where it returns false, the device is lost.
  std::function<bool(std::string_view kernel)> healthy = {};
  // Called when a graph is launched.
  std::function<void()> graph_launched = {};
  // The devices that this one is joined with: all have the same, and each a rank of its own.
  std::shared_ptr<Rendezvous> joined = nullptr;
  size_t rank = 0;
};

// Memory comes poisoned: every byte is 0xFF, so that floats are NaN.
std::unique_ptr<Device> MakeEmulatedDevice(EmulatedOptions options = {});

// So many that are joined, in the order of their ranks; `options` of each but for what joins them.
std::vector<std::shared_ptr<Device>> MakeJoinedDevices(
    size_t ranks, const std::function<EmulatedOptions(size_t rank)>& options = {});

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_EMULATED_EMULATED_DEVICE_H_
