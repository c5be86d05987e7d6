#include "tensor/quant/blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tensor/checkpoint.h"

namespace jikji {
namespace {

constexpr DType kQuantised[] = {DType::kQ4_0, DType::kQ8_0, DType::kQ4_K, DType::kQ5_K,
                                DType::kQ6_K};
constexpr int kCount = 512;

std::vector<float> PackAndUnpack(DType dtype, const std::vector<float>& x) {
  std::vector<float> out(x.size());
  VisitBlock(dtype, [&]<class Block>() {
    for (size_t i = 0; i < x.size(); i += Block::kValues) {
      Block::Pack(x.data() + i).Unpack(out.data() + i);
    }
  });
  return out;
}

double RootMeanSquareError(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return std::sqrt(sum / static_cast<double>(a.size()));
}

class QuantGoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Checkpoint::Open(JIKJI_SOURCE_DIR "/tests/goldens/tensor/quant_golden.gguf");
    ASSERT_TRUE(opened) << opened.error().ToString();
    golden_ = *opened;
  }
  std::vector<float> Values(const std::string& name) {
    const TensorView* tensor = golden_->Find(name);
    if (tensor == nullptr) {
      ADD_FAILURE() << "no " << name;
      return {};
    }
    return UnpackTensor(*tensor).value();
  }
  std::shared_ptr<const Checkpoint> golden_;
};

TEST_F(QuantGoldenTest, UnpacksAsGgufPyDoesBitForBit) {
  for (const DType dtype : kQuantised) {
    for (const char* kind : {".packed", ".random"}) {
      const std::string name = std::string(DTypeName(dtype)) + kind;
      ASSERT_NE(golden_->Find(name), nullptr);
      EXPECT_EQ(golden_->Find(name)->dtype, dtype);
      const auto ours = Values(name);
      const auto theirs = Values(name + ".f32");
      ASSERT_EQ(ours.size(), theirs.size());
      for (size_t i = 0; i < ours.size(); ++i) ASSERT_EQ(ours[i], theirs[i]) << name << " " << i;
    }
  }
}

TEST_F(QuantGoldenTest, PacksAsGgmlDoesBitForBit) {
  const auto input = Values("input");
  for (const DType dtype : kQuantised) {
    const TensorView* theirs = golden_->Find(std::string(DTypeName(dtype)) + ".packed");
    ASSERT_NE(theirs, nullptr);
    VisitBlock(dtype, [&]<class Block>() {
      ASSERT_EQ(theirs->data.size(), input.size() / Block::kValues * sizeof(Block));
      for (size_t i = 0; i < input.size() / Block::kValues; ++i) {
        const Block ours = Block::Pack(&input[i * Block::kValues]);
        ASSERT_EQ(std::memcmp(&ours, theirs->data.data() + i * sizeof(Block), sizeof(Block)), 0)
            << DTypeName(dtype) << ", block " << i;
      }
    });
  }
}

// Half a level, where levels are as far apart as the type's own rule makes them, and what f16 and
// the 6-bit scales of scales may add.
TEST(QuantTest, RoundTripErrorIsBounded) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.01f, 0.3f);
  std::vector<float> x(kCount * 16);
  for (float& value : x) value = normal(random);
  const struct {
    DType dtype;
    double relative;  // of the block's largest value
  } kBounds[] = {{DType::kQ8_0, 0.5 / 127 + 0x1p-11},
                 {DType::kQ4_0, 1.0 / 8 * 1.01},
                 {DType::kQ4_K, 0.12},
                 {DType::kQ5_K, 0.065},
                 {DType::kQ6_K, 0.04}};
  for (const auto& [dtype, relative] : kBounds) {
    const auto y = PackAndUnpack(dtype, x);
    const uint32_t block = BlockValues(dtype);
    for (size_t start = 0; start < x.size(); start += block) {
      float largest = 0;
      for (size_t i = start; i < start + block; ++i) largest = std::max(largest, std::abs(x[i]));
      for (size_t i = start; i < start + block; ++i) {
        ASSERT_LE(std::abs(x[i] - y[i]), relative * largest) << DTypeName(dtype) << " " << i;
      }
    }
  }
}

TEST(QuantTest, PacksEdges) {
  std::vector<std::vector<float>> cases;
  cases.emplace_back(256, 0.0f);
  cases.emplace_back(256, 1.0f);
  cases.emplace_back(256, -3.0f);
  cases.emplace_back(256, 1e-30f);
  cases.emplace_back(256, 3e38f);
  cases.emplace_back(256, -3e38f);
  cases.emplace_back(256, 0.0f).at(100) = -5.0f;
  cases.emplace_back(256, 0.0f).at(255) = 65504.0f;
  for (const DType dtype : kQuantised) {
    for (const auto& x : cases) {
      const auto y = PackAndUnpack(dtype, x);
      float largest = 0;
      for (const float value : x) largest = std::max(largest, std::abs(value));
      for (size_t i = 0; i < x.size(); ++i) {
        ASSERT_TRUE(std::isfinite(y[i])) << DTypeName(dtype) << " of " << x[i];
        if (std::abs(x[i]) > 70000) continue;  // beyond what an f16 scale reaches
        ASSERT_NEAR(y[i], x[i], std::abs(x[i]) * 0.02 + largest * 0x1p-11 + 1e-7)
            << DTypeName(dtype);
      }
    }
  }
}

TEST(QuantTest, ScalesOfKQuantsComeBack) {
  std::mt19937 random(3);
  for (int round = 0; round < 1000; ++round) {
    KScales in;
    for (int i = 0; i < 8; ++i) {
      in.scale[i] = random() % 64;
      in.minimum[i] = random() % 64;
    }
    uint8_t packed[12];
    PackKScales(in, packed);
    const KScales out = UnpackKScales(packed);
    ASSERT_EQ(std::memcmp(&in, &out, sizeof(in)), 0);
  }
}

// What was on a level stays there: packing is stable.
TEST(QuantTest, PackingWhatWasUnpackedChangesLittle) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> x(kCount);
  for (float& value : x) value = normal(random);
  for (const DType dtype : kQuantised) {
    const auto once = PackAndUnpack(dtype, x);
    const auto twice = PackAndUnpack(dtype, once);
    EXPECT_LE(RootMeanSquareError(once, twice), 0.3 * RootMeanSquareError(x, once) + 1e-7)
        << DTypeName(dtype);
  }
}

}  // namespace
}  // namespace jikji
