// The residual stream's kernels and the heads' finish, against the definition in double. Outputs
// begin poisoned.
#include "kernels/gpu/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "kernels/gpu/gpu_test.h"
#include "kernels/gpu/heads.h"
#include "kernels/gpu/ops.h"
#include "tensor/quant/half.h"

namespace jikji::kernels::gpu {
namespace {

// RMSNorm times `weight`.
std::vector<double> Normed(std::span<const double> x, std::span<const float> weight, double eps) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + eps);
  std::vector<double> out;
  for (size_t i = 0; i < x.size(); ++i) {
    out.push_back(x[i] * scale * static_cast<double>(weight[i]));
  }
  return out;
}

// f32 sums of n terms, and BF16's rounding.
constexpr double kBf16 = 0x1p-8, kF16 = 0x1p-10, kF32 = 1e-5;

TEST(GpuStream, AddNormAddsWhatIsThereAndNormsIt) {
  constexpr int64_t kRows = 3;
  for (const int64_t width : {5, 64, 700}) {
    for (int parts = 0; parts < 16; ++parts) {
      const bool adds = parts & 1, has_bias = parts & 2, has_post = parts & 4, has_norm = parts & 8;
      if (!adds && (has_bias || has_post)) continue;
      SCOPED_TRACE(testing::Message() << width << " wide, parts " << parts);
      const auto device = TestDevice();
      const auto x = Random(kRows * width, 1), added = Random(kRows * width, 2),
                 bias = Random(width, 3), post = Random(width, 4), norm = Random(width, 5);
      const device::Buffer x_on = Upload(*device, x), added_on = Upload(*device, added),
                           bias_on = Upload(*device, bias), post_on = Upload(*device, post),
                           norm_on = Upload(*device, norm);
      const int64_t stride = RowStride(width);
      const device::Buffer out_on = Poisoned<uint16_t>(*device, kRows * stride);
      ASSERT_TRUE(device->Launch(jikji_add_norm, {kRows, 1},
                                 AddNormArgs{.x = x_on.As<float>(),
                                             .added = adds ? added_on.As<float>() : nullptr,
                                             .bias = has_bias ? bias_on.As<float>() : nullptr,
                                             .post_norm = has_post ? post_on.As<float>() : nullptr,
                                             .norm = has_norm ? norm_on.As<float>() : nullptr,
                                             .out = out_on.As<uint16_t>(),
                                             .out_stride = stride,
                                             .width = static_cast<int32_t>(width),
                                             .residual_scale = 0.5f,
                                             .eps = 1e-3f}));
      const auto stream = Download<float>(*device, x_on);
      const auto out = Download<uint16_t>(*device, out_on);
      for (int64_t row = 0; row < kRows; ++row) {
        std::vector<double> sum;
        for (int64_t i = 0; i < width; ++i) {
          const auto at = static_cast<size_t>(row * width + i), column = static_cast<size_t>(i);
          sum.push_back(static_cast<double>(added[at]) +
                        (has_bias ? static_cast<double>(bias[column]) : 0));
        }
        if (has_post) sum = Normed(sum, post, 1e-3);
        for (int64_t i = 0; i < width; ++i) {
          const auto at = static_cast<size_t>(row * width + i);
          auto& value = sum[static_cast<size_t>(i)];
          value = static_cast<double>(x[at]) + (adds ? 0.5 * value : 0);
          ASSERT_NEAR(stream[at], value, kF32 * (std::abs(value) + 1));
        }
        const auto wanted = has_norm ? Normed(sum, norm, 1e-3) : sum;
        for (int64_t i = 0; i < stride; ++i) {
          const uint16_t bits = out[static_cast<size_t>(row * stride + i)];
          if (i >= width) {
            ASSERT_EQ(bits, 0xFFFF);  // left alone
            continue;
          }
          const double value = wanted[static_cast<size_t>(i)];
          ASSERT_NEAR(BF16ToF32(bits), value, kBf16 * std::abs(value) + kF32);
        }
      }
    }
  }
}

TEST(GpuStream, SiluMultipliesEvenWhereItsArgumentIsExtreme) {
  constexpr int64_t kRows = 2, kWidth = 300, kStride = 320;
  const auto device = TestDevice();
  auto gate = Random(kRows * kWidth, 1), up = Random(kRows * kWidth, 2);
  gate[0] = -200, gate[1] = 200, gate[2] = -88.5f, gate[3] = 0, gate[4] = -3e38f;
  const auto gate_bias = Random(kWidth, 3), up_bias = Random(kWidth, 4);
  const device::Buffer gate_on = Upload(*device, gate), up_on = Upload(*device, up),
                       gate_bias_on = Upload(*device, gate_bias),
                       up_bias_on = Upload(*device, up_bias);
  for (const bool biased : {false, true}) {
    const device::Buffer out_on = Poisoned<uint16_t>(*device, kRows * kStride);
    ASSERT_TRUE(device->Launch(jikji_silu_multiply, {2, kRows},
                               SiluArgs{.gate = gate_on.As<float>(),
                                        .up = up_on.As<float>(),
                                        .gate_bias = biased ? gate_bias_on.As<float>() : nullptr,
                                        .up_bias = biased ? up_bias_on.As<float>() : nullptr,
                                        .out = out_on.As<uint16_t>(),
                                        .out_stride = kStride,
                                        .width = kWidth}));
    const auto out = Download<uint16_t>(*device, out_on);
    for (int64_t i = 0; i < kRows * kStride; ++i) {
      const int64_t column = i % kStride;
      if (column >= kWidth) {
        ASSERT_EQ(out[static_cast<size_t>(i)], 0xFFFF);
        continue;
      }
      const auto at = static_cast<size_t>(i / kStride * kWidth + column);
      const auto c = static_cast<size_t>(column);
      const double g = static_cast<double>(gate[at]) + (biased ? gate_bias[c] : 0);
      const double u = static_cast<double>(up[at]) + (biased ? up_bias[c] : 0);
      const double wanted = g / (1 + std::exp(-g)) * u;
      ASSERT_NEAR(BF16ToF32(out[static_cast<size_t>(i)]), wanted, kBf16 * std::abs(wanted) + kF32)
          << i;
    }
  }
}

TEST(GpuStream, KeepRowsCopiesThoseNamed) {
  const auto device = TestDevice();
  const auto x = Random(5 * 300, 1);
  std::vector<uint16_t> attended(5 * 64);
  for (size_t i = 0; i < attended.size(); ++i) attended[i] = static_cast<uint16_t>(i * 7);
  const std::vector<int32_t> rows = {0, 3, 4};
  const device::Buffer x_on = Upload(*device, x), attended_on = Upload(*device, attended),
                       rows_on = Upload(*device, rows);
  const device::Buffer x_out = Poisoned<float>(*device, 3 * 300);
  const device::Buffer attended_out = Poisoned<uint16_t>(*device, 3 * 64);
  ASSERT_TRUE(device->Launch(jikji_keep_rows, {3, 1},
                             KeepRowsArgs{.rows = rows_on.As<int32_t>(),
                                          .x = x_on.As<float>(),
                                          .x_out = x_out.As<float>(),
                                          .attended = attended_on.As<uint16_t>(),
                                          .attended_out = attended_out.As<uint16_t>(),
                                          .x_width = 300,
                                          .attended_width = 64}));
  const auto kept = Download<float>(*device, x_out);
  const auto kept_attended = Download<uint16_t>(*device, attended_out);
  for (size_t row = 0; row < rows.size(); ++row) {
    const auto from = static_cast<size_t>(rows[row]);
    EXPECT_TRUE(std::equal(x.begin() + static_cast<int64_t>(from * 300),
                           x.begin() + static_cast<int64_t>(from * 300 + 300),
                           kept.begin() + static_cast<int64_t>(row * 300)));
    EXPECT_TRUE(std::equal(attended.begin() + static_cast<int64_t>(from * 64),
                           attended.begin() + static_cast<int64_t>(from * 64 + 64),
                           kept_attended.begin() + static_cast<int64_t>(row * 64)));
  }
}

// Queries and keys biased, normed by head and rotated; values biased; each in its place.
TEST(GpuHeads, AreBiasedNormedRotatedAndStored) {
  constexpr int32_t kRows = 3, kHeads = 4, kKvHeads = 2, kDim = 24, kHalf = kDim / 2, kPage = 8;
  const auto device = TestDevice();
  const auto q = Random(kRows * kHeads * kDim, 1), k = Random(kRows * kKvHeads * kDim, 2),
             v = Random(kRows * kKvHeads * kDim, 3);
  const auto q_bias = Random(kHeads * kDim, 4), k_bias = Random(kKvHeads * kDim, 5),
             v_bias = Random(kKvHeads * kDim, 6), q_norm = Random(kDim, 7),
             k_norm = Random(kDim, 8);
  const std::vector<int32_t> positions = {0, 5, 1001}, slots = {9, 2, 15};
  std::vector<float> inv_freq;
  for (int i = 0; i < kHalf; ++i) inv_freq.push_back(std::pow(0.3f, static_cast<float>(i)));
  const device::Buffer q_on = Upload(*device, q), k_on = Upload(*device, k),
                       v_on = Upload(*device, v), q_bias_on = Upload(*device, q_bias),
                       k_bias_on = Upload(*device, k_bias), v_bias_on = Upload(*device, v_bias),
                       q_norm_on = Upload(*device, q_norm), k_norm_on = Upload(*device, k_norm),
                       positions_on = Upload(*device, positions), slots_on = Upload(*device, slots),
                       inv_freq_on = Upload(*device, inv_freq);
  const device::Buffer cosines = Poisoned<float>(*device, kRows * kHalf),
                       sines = Poisoned<float>(*device, kRows * kHalf);
  constexpr float kMagnitude = 1.25f;
  ASSERT_TRUE(device->Launch(jikji_rope_table, {1, 1},
                             RopeTableArgs{.positions = positions_on.As<int32_t>(),
                                           .inv_freq = inv_freq_on.As<float>(),
                                           .cosines = cosines.As<float>(),
                                           .sines = sines.As<float>(),
                                           .rows = kRows,
                                           .half = kHalf,
                                           .magnitude = kMagnitude}));
  for (int parts = 0; parts < 8; ++parts) {
    const bool biased = parts & 1, normed = parts & 2, rotated = parts & 4;
    SCOPED_TRACE(parts);
    const device::Buffer out = Poisoned<uint16_t>(*device, kRows * kHeads * kDim),
                         keys = Poisoned<uint16_t>(*device, 2 * kKvHeads * kPage * kDim),
                         values = Poisoned<uint16_t>(*device, 2 * kKvHeads * kPage * kDim);
    const auto maybe = [](bool has, const device::Buffer& buffer) {
      return has ? buffer.As<float>() : nullptr;
    };
    constexpr int32_t kItems = kRows * (kHeads + 2 * kKvHeads);
    ASSERT_TRUE(device->Launch(jikji_heads, {(kItems + 3) / 4, 1},
                               HeadsArgs{.query = q_on.As<float>(),
                                         .key = k_on.As<float>(),
                                         .value = v_on.As<float>(),
                                         .query_bias = maybe(biased, q_bias_on),
                                         .key_bias = maybe(biased, k_bias_on),
                                         .value_bias = maybe(biased, v_bias_on),
                                         .query_norm = maybe(normed, q_norm_on),
                                         .key_norm = maybe(normed, k_norm_on),
                                         .cosines = maybe(rotated, cosines),
                                         .sines = maybe(rotated, sines),
                                         .slots = slots_on.As<int32_t>(),
                                         .query_out = out.As<uint16_t>(),
                                         .kv = {.keys = keys.As<uint16_t>(),
                                                .values = values.As<uint16_t>(),
                                                .page_tokens = kPage,
                                                .kv_heads = kKvHeads,
                                                .head_dim = kDim},
                                         .rows = kRows,
                                         .heads = kHeads,
                                         .query_scale = 0.25f,
                                         .eps = 1e-3f}));
    // A head by the definition.
    const auto finish = [&](const std::vector<float>& from, const std::vector<float>& bias,
                            const std::vector<float>& norm, int32_t row, int32_t heads,
                            int32_t head, bool is_value) {
      std::vector<double> x;
      for (int32_t d = 0; d < kDim; ++d) {
        x.push_back(
            static_cast<double>(from[static_cast<size_t>((row * heads + head) * kDim + d)]) +
            (biased ? static_cast<double>(bias[static_cast<size_t>(head * kDim + d)]) : 0));
      }
      if (is_value) return x;
      if (normed) x = Normed(x, norm, 1e-3);
      if (!rotated) return x;
      std::vector<double> turned(kDim);
      for (size_t d = 0; d < kHalf; ++d) {
        // The angle is f32's product, as models are trained with.
        const double angle = static_cast<double>(
            static_cast<float>(positions[static_cast<size_t>(row)]) * inv_freq[d]);
        const double c = std::cos(angle) * kMagnitude, s = std::sin(angle) * kMagnitude;
        turned[d] = x[d] * c - x[d + kHalf] * s;
        turned[d + kHalf] = x[d + kHalf] * c + x[d] * s;
      }
      return turned;
    };
    const auto near = [](uint16_t bits, double wanted) {
      ASSERT_NEAR(F16ToF32(bits), wanted, kF16 * std::abs(wanted) + kF32 * 4);
    };
    const auto q_out = Download<uint16_t>(*device, out),
               key_out = Download<uint16_t>(*device, keys),
               value_out = Download<uint16_t>(*device, values);
    size_t stored = 0;
    for (int32_t row = 0; row < kRows; ++row) {
      for (int32_t head = 0; head < kHeads; ++head) {
        const auto wanted = finish(q, q_bias, q_norm, row, kHeads, head, false);
        for (int32_t d = 0; d < kDim; ++d) {
          near(q_out[static_cast<size_t>((row * kHeads + head) * kDim + d)],
               0.25 * wanted[static_cast<size_t>(d)]);
        }
      }
      const int32_t page = slots[static_cast<size_t>(row)] / kPage,
                    slot = slots[static_cast<size_t>(row)] % kPage;
      for (int32_t head = 0; head < kKvHeads; ++head) {
        const auto key = finish(k, k_bias, k_norm, row, kKvHeads, head, false);
        const auto value = finish(v, v_bias, k_norm, row, kKvHeads, head, true);
        const int32_t plane = page * kKvHeads + head;
        for (int32_t d = 0; d < kDim; ++d, ++stored) {
          near(key_out[static_cast<size_t>((plane * kPage + slot) * kDim + d)],
               key[static_cast<size_t>(d)]);
          near(value_out[static_cast<size_t>((plane * kDim + d) * kPage + slot)],
               value[static_cast<size_t>(d)]);
        }
      }
    }
    // And nowhere else.
    EXPECT_EQ(static_cast<size_t>(std::ranges::count(key_out, 0xFFFF)), key_out.size() - stored);
    EXPECT_EQ(static_cast<size_t>(std::ranges::count(value_out, 0xFFFF)),
              value_out.size() - stored);
  }
}

}  // namespace
}  // namespace jikji::kernels::gpu
