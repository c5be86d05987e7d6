// Products, embeddings and the packing of weights, against the reference of the CPU's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "kernels/gpu/gpu_test.h"
#include "kernels/gpu/ops.h"
#include "kernels/matmul_cases.h"
#include "kernels/matmul_ref.h"
#include "tensor/quant/half.h"

namespace jikji::kernels::gpu {
namespace {

struct Case {
  int64_t rows, cols, tokens;
};
// For 256 columns more than one run of a segment; rows and tokens that fill no tile.
constexpr Case kCases[] = {{1, 256, 1}, {33, 512, 3}, {20, 1280, 9}, {70, 256, 33}};
// For types without blocks of 256.
constexpr Case kOddCases[] = {{5, 96, 2}, {17, 32, 8}};
constexpr Case kPlainCases[] = {{3, 1, 1}, {18, 45, 12}};

std::vector<Case> CasesOf(DType dtype) {
  std::vector<Case> cases(std::begin(kCases), std::end(kCases));
  if (BlockValues(dtype) <= 32)
    cases.insert(cases.end(), std::begin(kOddCases), std::end(kOddCases));
  if (BlockValues(dtype) == 1) {
    cases.insert(cases.end(), std::begin(kPlainCases), std::end(kPlainCases));
  }
  return cases;
}

// x rounded to BF16, [tokens, cols], and as it lies on the device.
struct Activations {
  std::vector<float> values;
  std::vector<uint16_t> padded;

  Activations(int64_t tokens, int64_t cols, uint32_t seed)
      : values(MakeActivations(tokens * cols, seed)),
        padded(static_cast<size_t>(tokens * RowStride(cols))) {
    for (int64_t i = 0; i < tokens * cols; ++i) {
      const uint16_t bits = F32ToBF16(values[static_cast<size_t>(i)]);
      values[static_cast<size_t>(i)] = BF16ToF32(bits);
      padded[static_cast<size_t>(i / cols * RowStride(cols) + i % cols)] = bits;
    }
  }
};

// A matrix in exactly the memory that it asks for.
struct PlacedMatrix {
  device::Buffer memory;
  DeviceMatrix matrix;

  PlacedMatrix(device::Device& device, const TensorView& view, std::span<const int32_t> order,
               ThreadPool& pool)
      : memory(Poisoned<uint8_t>(device, static_cast<int64_t>(DeviceMatrix::Bytes(
                                             view.dtype, view.rows(), view.cols())))) {
    // Matrices of more than 48 rows come in several pieces.
    auto staging =
        device::Staging::Create(device, DeviceMatrix::Bytes(view.dtype, 48, view.cols()));
    EXPECT_TRUE(staging);
    auto uploaded = DeviceMatrix::Upload(device, *staging, memory.data(), view, order, pool);
    EXPECT_TRUE(uploaded);
    matrix = *uploaded;
  }
};

std::vector<float> Multiply(device::Device& device, const DeviceMatrix& w, const Activations& x,
                            int64_t tokens, float scale) {
  const device::Buffer in = Upload(device, x.padded);
  const device::Buffer out = Poisoned<float>(device, tokens * w.tiles().rows);
  EXPECT_TRUE(MatMul(device, w, in.As<uint16_t>(), tokens, out.As<float>(), scale));
  return Download<float>(device, out);
}

TEST(GpuMatMul, AgreesWithTheReference) {
  const auto device = TestDevice();
  ThreadPool pool(1);
  uint32_t seed = 1 + TestSeed();
  for (const DType dtype : kWeightTypes) {
    for (const auto& [rows, cols, tokens] : CasesOf(dtype)) {
      SCOPED_TRACE(testing::Message()
                   << DTypeName(dtype) << " " << rows << " " << cols << " " << tokens);
      const RandomWeights weights = MakeWeights(dtype, rows, cols, ++seed);
      const PlacedMatrix w(*device, weights.view, {}, pool);
      const Activations x(tokens, cols, ++seed);
      const auto out = Multiply(*device, w.matrix, x, tokens, 1.0f);
      const auto wanted = MatMulRef(weights.view, x.values.data(), tokens);
      // A rounding for each column's term, and a few for each tile and segment.
      const double tolerance =
          static_cast<double>(3 * RowStride(cols) + RowStride(cols) / 32 * 6 + 16) * 0x1p-24;
      for (size_t i = 0; i < out.size(); ++i) {
        ASSERT_NEAR(out[i], wanted[i].value, tolerance * wanted[i].magnitude) << i;
      }
    }
  }
}

// Promise 1: alone, or with others in a product of any of the three kinds.
TEST(GpuMatMul, BitsOfARowDoNotDependOnTheOthers) {
  const auto device = TestDevice();
  ThreadPool pool(1);
  constexpr int64_t kRows = 37, kCols = 768;
  for (const DType dtype : kWeightTypes) {
    const RandomWeights weights = MakeWeights(dtype, kRows, kCols, 5 + TestSeed());
    const PlacedMatrix w(*device, weights.view, {}, pool);
    const Activations many(66, kCols, 6 + TestSeed());
    const auto wide = Multiply(*device, w.matrix, many, 66, 1.5f);
    for (const int64_t tokens : {1, 9}) {
      for (const int64_t first : {0, 57}) {
        Activations some(tokens, kCols, 7);
        std::copy_n(many.padded.begin() + first * RowStride(kCols), some.padded.size(),
                    some.padded.begin());
        const auto out = Multiply(*device, w.matrix, some, tokens, 1.5f);
        EXPECT_TRUE(std::equal(out.begin(), out.end(), wide.begin() + first * kRows))
            << DTypeName(dtype) << " " << tokens << " tokens from " << first;
      }
    }
  }
}

TEST(GpuEmbed, GivesTheValuesThatTheFileHolds) {
  const auto device = TestDevice();
  ThreadPool pool(1);
  for (const DType dtype : kWeightTypes) {
    constexpr int64_t kRows = 35;
    const int64_t cols = BlockValues(dtype) == 1 ? 45 : 512;
    const RandomWeights weights = MakeWeights(dtype, kRows, cols, 9 + TestSeed());
    std::vector<int32_t> order(kRows);
    std::iota(order.rbegin(), order.rend(), 0);  // reversed
    const PlacedMatrix w(*device, weights.view, order, pool);
    const std::vector<int32_t> ids = {34, 0, 17, 8};
    const device::Buffer on = Upload(*device, ids);
    const device::Buffer out = Poisoned<float>(*device, 4 * cols);
    ASSERT_TRUE(Embed(*device, w.matrix, on.As<int32_t>(), 4, 2.0f, out.As<float>()));
    const auto values = Download<float>(*device, out);
    const auto wanted = UnpackTensor(weights.view);
    ASSERT_TRUE(wanted);
    for (size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<size_t>(kRows - 1 - ids[i / static_cast<size_t>(cols)]);
      const float value =
          (*wanted)[row * static_cast<size_t>(cols) + i % static_cast<size_t>(cols)];
      ASSERT_NEAR(values[i], 2 * value, std::abs(value) * 0x1p-20 + 1e-6) << DTypeName(dtype) << i;
    }
  }
}

}  // namespace
}  // namespace jikji::kernels::gpu
