#include "engine/exp_weight.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace jikji {
namespace {

TEST(ExpWeightTest, WithinItsError) {
  double worst = 0;
  for (float x = 0; x > -87.0f; x -= 1.7e-5f + x * -1e-5f) {
    const double exact = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::abs(ExpWeight(x) - exact) / exact);
  }
  EXPECT_LT(worst, 3e-7);
}

TEST(ExpWeightTest, Ends) {
  EXPECT_EQ(ExpWeight(0), 1.0f);
  EXPECT_EQ(ExpWeight(-0.0f), 1.0f);
  EXPECT_EQ(ExpWeight(-1e30f), 0.0f);
  EXPECT_EQ(ExpWeight(-std::numeric_limits<float>::infinity()), 0.0f);
}

}  // namespace
}  // namespace jikji
