// For the tests of the device's operations. They run on the emulated device; with
// JIKJI_TEST_DEVICE=0 on the machine's GPU 0 (tools/gpu_check), and with JIKJI_TEST_SEED=N on other
// random inputs.
#ifndef JIKJI_KERNELS_GPU_GPU_TEST_H_
#define JIKJI_KERNELS_GPU_GPU_TEST_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "device/cuda/cuda_device.h"
#include "device/device.h"
#include "device/emulated/emulated_device.h"
#include "kernels/gpu/code_modules.h"

namespace jikji::kernels::gpu {

inline std::unique_ptr<device::Device> TestDevice() {
  const char* const number = std::getenv("JIKJI_TEST_DEVICE");
  if (number == nullptr) return device::MakeEmulatedDevice();
  auto device = [&]() -> Result<std::unique_ptr<device::Device>> {
    JIKJI_ASSIGN(auto driver, device::cuda::Driver::Open());
    return device::cuda::OpenDevice(std::move(driver), std::atoi(number), CodeModules());
  }();
  EXPECT_TRUE(device) << device.error().ToString();
  return device ? std::move(*device) : device::MakeEmulatedDevice();
}

// Devices that were joined: the machine's first GPUs, where JIKJI_TEST_GPUS says that it has so
// many, or emulated ones, as `alone`, one to hold them against, is.
struct TestRanks {
  std::shared_ptr<device::Device> alone;
  std::vector<std::shared_ptr<device::Device>> joined;
};
inline TestRanks TestDevices(size_t ranks) {
  TestRanks out;
  const char* const gpus = std::getenv("JIKJI_TEST_GPUS");
  if (gpus != nullptr && std::strtoul(gpus, nullptr, 10) >= ranks) {
    const auto opened = [&]() -> Result<> {
      JIKJI_ASSIGN(const auto driver, device::cuda::Driver::Open());
      JIKJI_ASSIGN(const auto nccl, device::cuda::Nccl::Open());
      JIKJI_ASSIGN(out.alone, device::cuda::OpenDevice(driver, 0, CodeModules()));
      for (size_t rank = 0; rank < ranks; ++rank) {
        JIKJI_ASSIGN(auto device,
                     device::cuda::OpenDevice(driver, static_cast<int>(rank), CodeModules()));
        out.joined.push_back(std::move(device));
      }
      return device::cuda::JoinDevices(nccl, out.joined);
    }();
    EXPECT_TRUE(opened) << opened.error().ToString();
    if (opened) return out;
  }
  out.alone = device::MakeEmulatedDevice();
  out.joined = device::MakeJoinedDevices(ranks);
  return out;
}

// To be added to a test's own seed.
inline uint32_t TestSeed() {
  const char* const seed = std::getenv("JIKJI_TEST_SEED");
  return seed == nullptr ? 0 : static_cast<uint32_t>(std::strtoul(seed, nullptr, 10));
}

// Normal, and of another seed each run where JIKJI_TEST_SEED says so.
inline std::vector<float> Random(int64_t count, uint32_t seed) {
  std::mt19937 random(seed + TestSeed());
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) value = normal(random);
  return out;
}

template <class T>
device::Buffer Upload(device::Device& device, const std::vector<T>& values) {
  auto buffer = device.Allocate(values.size() * sizeof(T));
  EXPECT_TRUE(buffer);
  EXPECT_TRUE(device.CopyToDevice(buffer->data(), values.data(), buffer->bytes()));
  return std::move(*buffer);
}

// Memory that nothing was written to: NaN.
template <class T>
device::Buffer Poisoned(device::Device& device, int64_t count) {
  return Upload(device, std::vector<uint8_t>(static_cast<size_t>(count) * sizeof(T), 0xFF));
}

template <class T>
std::vector<T> Download(device::Device& device, const device::Buffer& buffer) {
  std::vector<T> out(buffer.bytes() / sizeof(T));
  EXPECT_TRUE(device.CopyToHost(out.data(), buffer.data(), buffer.bytes()));
  return out;
}

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_GPU_TEST_H_
