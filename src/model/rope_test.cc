#include "model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

namespace jikji {
namespace {

// What transformers 5.12 computes (modeling_rope_utils, float32) for heads of 16; printed with nine
// digits by `rope_parameters` of the same fields as in each test.
void ExpectNear(const RopeTable& table, const std::vector<double>& inv_freq, double magnitude) {
  ASSERT_EQ(table.inv_freq.size(), inv_freq.size());
  for (size_t i = 0; i < inv_freq.size(); ++i) {
    // Two units in the last place: torch's power is not correctly rounded.
    EXPECT_NEAR(table.inv_freq[i], inv_freq[i], inv_freq[i] * 2.4e-7) << i;
  }
  EXPECT_NEAR(table.magnitude, magnitude, 1e-6);
}

TEST(RopeTest, Default) {
  RopeSpec spec;
  spec.theta = 500000;
  ExpectNear(MakeRopeTable(spec, 16),
             {1, 0.193922758, 0.0376060307, 0.00729266508, 0.00141421345, 0.000274248188,
              5.31829573e-05, 1.03133852e-05},
             1);
}

TEST(RopeTest, Linear) {
  RopeSpec spec;
  spec.scaling = RopeSpec::Scaling::kLinear;
  spec.theta = 10000;
  spec.factor = 3;
  ExpectNear(MakeRopeTable(spec, 16),
             {0.333333343, 0.105409257, 0.0333333351, 0.0105409259, 0.00333333318, 0.00105409266,
              0.000333333359, 0.000105409265},
             1);
}

TEST(RopeTest, Llama3) {
  RopeSpec spec;
  spec.scaling = RopeSpec::Scaling::kLlama3;
  spec.theta = 500000;
  spec.factor = 8;
  spec.original_max_position = 1024;
  ExpectNear(MakeRopeTable(spec, 16),
             {1, 0.193922758, 0.0376060307, 0.00131256948, 0.000176776681, 3.42810235e-05,
              6.64786967e-06, 1.28917316e-06},
             1);
}

TEST(RopeTest, Yarn) {
  RopeSpec spec;
  spec.scaling = RopeSpec::Scaling::kYarn;
  spec.theta = 1000000;
  spec.factor = 4;
  spec.original_max_position = 2048;
  ExpectNear(MakeRopeTable(spec, 16),
             {1, 0.177827939, 0.023717083, 0.00281170662, 0.000250000012, 4.44569851e-05,
              7.90569356e-06, 1.40585337e-06},
             1.13862944);
}

TEST(RopeTest, YarnWithItsOwnBetas) {
  RopeSpec spec;
  spec.scaling = RopeSpec::Scaling::kYarn;
  spec.theta = 10000;
  spec.factor = 40;
  spec.original_max_position = 4096;
  spec.beta_fast = 16;
  spec.beta_slow = 2;
  spec.truncate = false;
  spec.attention_factor = 1.25;
  ExpectNear(MakeRopeTable(spec, 16),
             {1, 0.316227764, 0.100000001, 0.0316227786, 0.00579010462, 0.000123952457,
              2.49999994e-05, 7.90569447e-06},
             1.25);
}

TEST(RopeTest, DivisorsReplaceTheFormula) {
  RopeSpec spec;
  spec.divisors = {1, 2, 4, 8, 16, 32, 64, 128};
  const RopeTable table = MakeRopeTable(spec, 16);
  const RopeTable plain = MakeRopeTable({}, 16);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(table.inv_freq[i], plain.inv_freq[i] / spec.divisors[i]);
  }
}

TEST(RopeTest, YarnKeepsItsMagnitudeAtOneWithoutStretch) {
  RopeSpec spec;
  spec.scaling = RopeSpec::Scaling::kYarn;
  spec.factor = 1;
  spec.original_max_position = 64;
  EXPECT_EQ(MakeRopeTable(spec, 16).magnitude, 1.0f);
}

TEST(RopeTest, YarnWithItsRampInOnePointDividesByNothing) {
  RopeSpec spec;
  spec.scaling = RopeSpec::Scaling::kYarn;
  spec.factor = 4;
  spec.original_max_position = 1;
  for (const float frequency : MakeRopeTable(spec, 16).inv_freq) {
    EXPECT_TRUE(std::isfinite(frequency));
    EXPECT_GT(frequency, 0);
  }
}

}  // namespace
}  // namespace jikji
