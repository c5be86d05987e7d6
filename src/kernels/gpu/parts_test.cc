#include "kernels/gpu/parts.h"

#include <algorithm>

#include "kernels/gpu/gpu_test.h"

namespace jikji::kernels::gpu {
namespace {

// Parts of equal strides and of each rank's own, the last one narrower, or without any column.
TEST(GpuParts, EveryColumnIsItsRanks) {
  const auto device = TestDevice();
  struct Case {
    int32_t width, part, ranks;
    int64_t part_stride;
  };
  for (const Case& c :
       {Case{600, 304, 2, 0}, {600, 304, 2, 320}, {33, 16, 4, 0}, {64, 16, 4, 32}}) {
    constexpr int32_t kRows = 3;
    const int64_t slot = kRows * (c.part_stride == 0 ? c.part : c.part_stride);
    const int64_t stride = c.width + 5;
    const auto number = [](int32_t row, int32_t column) {
      return static_cast<float>(1000 * row + column);
    };
    std::vector<float> parts(static_cast<size_t>(slot * c.ranks), -1.0f);
    for (int32_t rank = 0; rank < c.ranks; ++rank) {
      const int32_t columns = std::clamp(c.width - rank * c.part, 0, c.part);
      for (int32_t row = 0; row < kRows; ++row) {
        for (int32_t i = 0; i < columns; ++i) {
          const int64_t at = row * (c.part_stride == 0 ? columns : c.part_stride) + i;
          parts[static_cast<size_t>(rank * slot + at)] = number(row, rank * c.part + i);
        }
      }
    }
    std::vector<uint16_t> halves;
    for (const float part : parts)
      halves.push_back(static_cast<uint16_t>(static_cast<int32_t>(part)));
    const auto run = [&]<class T>(const device::Kernel<PlacePartsArgs<T>>& kernel,
                                  const std::vector<T>& values) {
      const device::Buffer from = Upload(*device, values);
      const device::Buffer to =
          Upload(*device, std::vector<T>(static_cast<size_t>(kRows * stride)));
      EXPECT_TRUE(device->Launch(kernel, {static_cast<uint32_t>((c.width + 255) / 256), kRows},
                                 PlacePartsArgs<T>{.from = from.As<T>(),
                                                   .to = to.As<T>(),
                                                   .slot = slot,
                                                   .part_stride = c.part_stride,
                                                   .stride = stride,
                                                   .part = c.part,
                                                   .width = c.width}));
      const auto got = Download<T>(*device, to);
      for (int32_t row = 0; row < kRows; ++row) {
        for (int32_t column = 0; column < stride; ++column) {
          ASSERT_EQ(got[static_cast<size_t>(row * stride + column)],
                    column < c.width ? static_cast<T>(number(row, column)) : T{})
              << row << " " << column << " of " << c.width;
        }
      }
    };
    run(jikji_place_parts_32, parts);
    run(jikji_place_parts_16, halves);
  }
}

}  // namespace
}  // namespace jikji::kernels::gpu
