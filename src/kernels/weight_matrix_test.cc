#include "kernels/weight_matrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "kernels/matmul_cases.h"
#include "kernels/weight_panels.h"

namespace jikji::kernels {
namespace {

// Bit for bit: random scales make infinities and NaNs too.
bool Same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }

TEST(WeightPanels, GiveBackEveryBitOfEveryBlock) {
  std::mt19937 random(1);
  for (DType dtype : kWeightTypes) {
    SCOPED_TRACE(std::string(DTypeName(dtype)));
    VisitStep(dtype, [&]<class Step>() {
      using Block = typename Step::Block;
      constexpr int kBlocks = Step::kColumns / static_cast<int>(Block::kValues);
      Step step;
      std::vector<Block> blocks(static_cast<size_t>(kPanelRows * kBlocks));
      for (Block& block : blocks) {
        auto* bytes = reinterpret_cast<uint8_t*>(&block);
        for (size_t i = 0; i < sizeof block; ++i) bytes[i] = static_cast<uint8_t>(random());
      }
      for (int i = 0; i < kPanelRows * kBlocks; ++i) {
        step.Put(i / kBlocks, i % kBlocks, blocks[static_cast<size_t>(i)]);
      }
      for (int i = 0; i < kPanelRows * kBlocks; ++i) {
        const Block block = step.Get(i / kBlocks, i % kBlocks);
        EXPECT_EQ(std::memcmp(&block, &blocks[static_cast<size_t>(i)], sizeof block), 0) << i;
      }
    });
  }
}

TEST(WeightMemory, PartsAreZeroAlignedAndOutliveIt) {
  std::vector<std::shared_ptr<std::byte[]>> parts;
  {
    WeightMemory memory;
    for (const uint64_t bytes : {uint64_t{1}, uint64_t{100}, uint64_t{70} << 20, uint64_t{64}}) {
      auto part = memory.Allocate(bytes);
      ASSERT_TRUE(part);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(part->get()) % 64, 0u);
      EXPECT_TRUE(std::all_of(part->get(), part->get() + bytes,
                              [](std::byte b) { return b == std::byte{0}; }));
      std::fill_n(part->get(), bytes, std::byte{1});
      parts.push_back(*part);
    }
  }
  for (const auto& part : parts) EXPECT_EQ(part[0], std::byte{1});
}

TEST(WeightMatrix, RefusesShapesThatDoNotFit) {
  RandomWeights weights = MakeWeights(DType::kQ4_K, 2, 512, 12);
  EXPECT_TRUE(PrepareAlone(weights.view));
  TensorView view = weights.view;
  view.shape = {2, 500};
  EXPECT_FALSE(PrepareAlone(view));
  view.shape = {3, 512};
  EXPECT_FALSE(PrepareAlone(view));
  view.shape = {0, 512};
  EXPECT_FALSE(PrepareAlone(view));
  view.shape = {};
  EXPECT_FALSE(PrepareAlone(view));
  EXPECT_FALSE(PrepareAlone(weights.view, std::vector<int32_t>{0, 2}));
  EXPECT_FALSE(PrepareAlone(weights.view, std::vector<int32_t>{-1}));
}

TEST(WeightMatrix, GathersRowsAsTheTensorUnpacksThem) {
  for (DType dtype : kWeightTypes) {
    const RandomWeights weights = MakeWeights(dtype, 6, 512, 13, 1);
    const auto w = PrepareAlone(weights.view);
    const auto reordered = PrepareAlone(weights.view, std::vector<int32_t>{5, 1});
    ASSERT_TRUE(w && reordered);
    EXPECT_EQ(reordered->rows(), 2);
    EXPECT_EQ(w->bytes(), WeightMatrix::PackedBytes(dtype, 6, 512));
    std::vector<float> wanted(512), got(2 * 512);
    ASSERT_TRUE(UnpackRows(weights.view, 1, 1, wanted));
    GatherRows(*w, std::vector<int32_t>{3, 1}, got.data());
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), &got[512], Same));
    GatherRows(*reordered, std::vector<int32_t>{1, 0}, got.data());
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), got.begin(), Same));
  }
}

}  // namespace
}  // namespace jikji::kernels
