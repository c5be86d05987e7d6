// What adapters make of a projection on the device, against the definition in double.
#include "kernels/gpu/adapter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/gpu/gpu_test.h"
#include "tensor/quant/half.h"

namespace jikji::kernels::gpu {
namespace {

TEST(GpuAdapter, LowRankProductsAndGainsOfEachRowsOwn) {
  constexpr int32_t kCols = 70, kStride = 96, kWidth = 300, kMostRank = 11;
  const auto device = TestDevice();
  const std::vector<int32_t> of_rows = {1, -1, 0, 2, 1};
  const auto rows = static_cast<int32_t>(of_rows.size());
  const auto x = Random(int64_t{rows} * kStride, 1), y = Random(int64_t{rows} * kWidth, 2);
  std::vector<uint16_t> x_bits;
  for (const float value : x) x_bits.push_back(F32ToBF16(value));
  // Low rank alone, with gains, and one that does not adapt this projection.
  const int32_t ranks[] = {3, kMostRank};
  const std::vector<float> a[] = {Random(ranks[0] * kCols, 3), Random(ranks[1] * kCols, 4)};
  const std::vector<float> b[] = {Random(ranks[0] * kWidth, 5), Random(ranks[1] * kWidth, 6)};
  const auto gain = Random(kWidth, 7);
  const device::Buffer on[] = {Upload(*device, a[0]), Upload(*device, b[0]), Upload(*device, a[1]),
                               Upload(*device, b[1]), Upload(*device, gain)};
  const std::vector<AdapterPart> parts = {
      {.a = on[0].As<float>(), .b = on[1].As<float>(), .rank = ranks[0], .scale = 0.5f},
      {.a = on[2].As<float>(),
       .b = on[3].As<float>(),
       .gain = on[4].As<float>(),
       .rank = ranks[1],
       .scale = 1.5f},
      {}};
  const device::Buffer parts_on = Upload(*device, parts), of_rows_on = Upload(*device, of_rows),
                       x_on = Upload(*device, x_bits), y_on = Upload(*device, y),
                       low = Poisoned<float>(*device, int64_t{rows} * kMostRank);
  const AdapterArgs args{.parts = parts_on.As<AdapterPart>(),
                         .adapters = of_rows_on.As<int32_t>(),
                         .x = x_on.As<uint16_t>(),
                         .low = low.As<float>(),
                         .y = y_on.As<float>(),
                         .x_stride = kStride,
                         .cols = kCols,
                         .width = kWidth,
                         .most_rank = kMostRank};
  const auto each_row = static_cast<uint32_t>(rows);
  ASSERT_TRUE(device->Launch(jikji_adapter_low, {2, each_row}, args));
  ASSERT_TRUE(device->Launch(jikji_adapter_add, {2, each_row}, args));
  const auto out = Download<float>(*device, y_on);
  for (int32_t row = 0; row < rows; ++row) {
    const int32_t adapter = of_rows[static_cast<size_t>(row)];
    for (int32_t i = 0; i < kWidth; ++i) {
      const auto at = static_cast<size_t>(row * kWidth + i);
      if (adapter < 0 || adapter == 2) {
        ASSERT_EQ(out[at], y[at]) << row;
        continue;
      }
      const auto of = static_cast<size_t>(adapter);
      double wanted = y[at], magnitude = std::abs(wanted);
      for (int32_t r = 0; r < ranks[of]; ++r) {
        double product = 0;
        for (int32_t c = 0; c < kCols; ++c) {
          const double value = BF16ToF32(x_bits[static_cast<size_t>(row * kStride + c)]);
          product += static_cast<double>(a[of][static_cast<size_t>(r * kCols + c)]) * value;
        }
        const double term = static_cast<double>(parts[of].scale) *
                            static_cast<double>(b[of][static_cast<size_t>(r * kWidth + i)]) *
                            product;
        wanted += term;
        magnitude += std::abs(term);
      }
      if (adapter == 1) {
        wanted *= gain[static_cast<size_t>(i)];
        magnitude *= std::abs(static_cast<double>(gain[static_cast<size_t>(i)]));
      }
      ASSERT_NEAR(out[at], wanted, magnitude * 0x1p-16) << row << ", " << i;
    }
  }
}

}  // namespace
}  // namespace jikji::kernels::gpu
