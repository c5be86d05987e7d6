#include "kernels/adamw.h"

#include <gtest/gtest.h>

#include "kernels/each_isa.h"
#include "kernels/gradient_check.h"

namespace jikji::kernels {
namespace {

TEST(AdamW, FollowsTheDefinitionForManySteps) {
  const size_t count = 5003;
  const std::vector<float> start = RandomValues(count, 1);
  const AdamWOptions options{
      .learning_rate = 1e-2f, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .weight_decay = 0.1f};
  ForEachIsa([&] {
    ThreadPool pool(2);
    std::vector<float> w = start, m(count), v(count);
    std::vector<double> w_ref = ToDouble(start), m_ref(count), v_ref(count);
    for (int step = 1; step <= 20; ++step) {
      const std::vector<float> g = RandomValues(count, static_cast<uint32_t>(100 + step));
      AdamW(w, g, m, v, options, step, 0.5f, pool);
      for (size_t i = 0; i < count; ++i) {
        const double gradient = 0.5 * g[i];
        m_ref[i] = 0.9 * m_ref[i] + 0.1 * gradient;
        v_ref[i] = 0.95 * v_ref[i] + 0.05 * gradient * gradient;
        w_ref[i] -= 1e-2 * 0.1 * w_ref[i];
        w_ref[i] -= 1e-2 * (m_ref[i] / (1 - std::pow(0.9, step))) /
                    (std::sqrt(v_ref[i] / (1 - std::pow(0.95, step))) + 1e-8);
      }
    }
    for (size_t i = 0; i < count; ++i) ASSERT_NEAR(w[i], w_ref[i], 2e-5);
  });
}

TEST(SumOfSquares, HasTheSameBitsForAnyThreads) {
  const std::vector<float> values = RandomValues(100'003, 2);
  double wanted = 0.0;
  for (const float value : values) wanted += double{value} * value;
  ForEachIsa([&] {
    ThreadPool one(1), three(3);
    const double sum = SumOfSquares(values, one);
    EXPECT_EQ(sum, SumOfSquares(values, three));
    EXPECT_NEAR(sum, wanted, 1e-5 * wanted);
    EXPECT_EQ(SumOfSquares({}, one), 0.0);
  });
}

}  // namespace
}  // namespace jikji::kernels
