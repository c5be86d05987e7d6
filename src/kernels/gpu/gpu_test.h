// For the tests of the device's operations.
#ifndef JIKJI_KERNELS_GPU_GPU_TEST_H_
#define JIKJI_KERNELS_GPU_GPU_TEST_H_

#include <gtest/gtest.h>

#include <vector>

#include "device/device.h"

namespace jikji::kernels::gpu {

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
