#include "kernels/cross_entropy.h"

#include <gtest/gtest.h>

#include "kernels/each_isa.h"
#include "kernels/gradient_check.h"

namespace jikji::kernels {
namespace {

TEST(CrossEntropy, AgreesWithCentralDifferences) {
  for (const int64_t cols : {1, 2, 17, 100}) {
    const auto width = static_cast<size_t>(cols);
    const std::vector<int32_t> targets = {0, static_cast<int32_t>(cols - 1),
                                          static_cast<int32_t>(cols / 2)};
    const std::vector<float> logits = RandomValues(3 * width, 1, 5.0f);
    const auto loss = [&](const std::vector<double>& at, size_t r) {
      double sum = 0.0;
      for (size_t c = 0; c < width; ++c) sum += std::exp(at[r * width + c]);
      return std::log(sum) - at[r * width + static_cast<size_t>(targets[r])];
    };
    const auto total = [&](const std::vector<double>& at) {
      return 0.25 * loss(at, 0) - 0.5 * loss(at, 1) + 2.0 * loss(at, 2);
    };
    const std::vector<double> wanted = CentralDifferences(total, logits);
    ForEachIsa([&] {
      ThreadPool pool(2);
      std::vector<float> got = logits, losses(3);
      CrossEntropy(got.data(), cols, targets, std::vector{0.25f, -0.5f, 2.0f}, losses, pool);
      for (size_t r = 0; r < 3; ++r) {
        EXPECT_NEAR(losses[r], loss(ToDouble(logits), r), 1e-5);
      }
      if (cols > 1) ExpectGradient(got, wanted);
    });
  }
}

TEST(CrossEntropy, LargeLogitsNeitherOverflowNorVanish) {
  ForEachIsa([&] {
    ThreadPool pool(1);
    std::vector<float> logits(3000, -20000.0f), losses(1);
    logits[2999] = 30000.0f;
    const std::vector<int32_t> target = {2999}, other = {5};
    const std::vector<float> one = {1.0f};
    std::vector<float> copy = logits;
    CrossEntropy(copy.data(), 3000, target, one, losses, pool);
    EXPECT_EQ(losses[0], 0.0f);
    copy = logits;
    CrossEntropy(copy.data(), 3000, other, one, losses, pool);
    EXPECT_EQ(losses[0], 50000.0f);
    EXPECT_EQ(copy[5], -1.0f);
    EXPECT_EQ(copy[2999], 1.0f);
  });
}

}  // namespace
}  // namespace jikji::kernels
