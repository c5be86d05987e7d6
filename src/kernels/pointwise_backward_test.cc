#include "kernels/pointwise_backward.h"

#include <gtest/gtest.h>

#include "kernels/each_isa.h"
#include "kernels/gradient_check.h"

namespace jikji::kernels {
namespace {

TEST(RmsNormBackward, AgreesWithCentralDifferences) {
  const double eps = double{1e-5f};
  for (const size_t cols : {1, 5, 16, 33, 70}) {
    const size_t rows = 7;
    const std::vector<float> x = RandomValues(rows * cols, 1, 2.0f), w = RandomValues(cols, 2);
    const std::vector<float> d_y = RandomValues(rows * cols, 3), before = RandomValues(x.size(), 4);
    const auto loss = [&](const std::vector<double>& x_at, const std::vector<double>& w_at) {
      double sum = 0.0;
      for (size_t r = 0; r < rows; ++r) {
        double squares = 0.0;
        for (size_t c = 0; c < cols; ++c) squares += x_at[r * cols + c] * x_at[r * cols + c];
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(cols) + eps);
        for (size_t c = 0; c < cols; ++c) {
          sum += d_y[r * cols + c] * x_at[r * cols + c] * scale * w_at[c];
        }
      }
      return sum;
    };
    const auto d_x = CentralDifferences([&](const auto& at) { return loss(at, ToDouble(w)); }, x);
    const auto d_w = CentralDifferences([&](const auto& at) { return loss(ToDouble(x), at); }, w);
    ForEachIsa([&] {
      ThreadPool pool(2);
      std::vector<float> got_x(x.size()), got_w(cols, 0.0f), added = before, in_place = d_y;
      RmsNormBackward(x.data(), rows, w, 1e-5f, d_y.data(), got_x.data(), false, got_w.data(),
                      pool);
      if (cols > 1) ExpectGradient(got_x, d_x);  // of one column almost nothing depends on x
      ExpectGradient(got_w, d_w);
      RmsNormBackward(x.data(), rows, w, 1e-5f, d_y.data(), added.data(), true, nullptr, pool);
      for (size_t i = 0; i < added.size(); ++i) ASSERT_EQ(added[i], before[i] + got_x[i]);
      std::vector<float> twice = got_w;
      RmsNormBackward(x.data(), rows, w, 1e-5f, in_place.data(), in_place.data(), false,
                      twice.data(), pool);
      EXPECT_EQ(in_place, got_x);
      for (size_t c = 0; c < cols; ++c) ASSERT_FLOAT_EQ(twice[c], 2 * got_w[c]);
    });
  }
}

TEST(SiluMultiplyBackward, AgreesWithCentralDifferences) {
  const size_t count = 173;
  const std::vector<float> gate = RandomValues(count, 5, 4.0f), up = RandomValues(count, 6);
  const std::vector<float> d = RandomValues(count, 7);
  const auto loss = [&](const std::vector<double>& g, const std::vector<double>& u) {
    double sum = 0.0;
    for (size_t i = 0; i < count; ++i) sum += d[i] * g[i] / (1.0 + std::exp(-g[i])) * u[i];
    return sum;
  };
  const auto d_gate =
      CentralDifferences([&](const auto& at) { return loss(at, ToDouble(up)); }, gate);
  const auto d_up =
      CentralDifferences([&](const auto& at) { return loss(ToDouble(gate), at); }, up);
  ForEachIsa([&] {
    ThreadPool pool(2);
    std::vector<float> got_gate(count), got_up(count);
    SiluMultiplyBackward(gate.data(), up.data(), d.data(), count, got_gate.data(), got_up.data(),
                         pool);
    ExpectGradient(got_gate, d_gate);
    ExpectGradient(got_up, d_up);
    // Where e^-gate leaves its range, the gradient is that of 0 or of gate · up.
    const std::vector<float> far = {-100.0f, 100.0f}, ones = {1.0f, 1.0f};
    SiluMultiplyBackward(far.data(), ones.data(), ones.data(), 2, got_gate.data(), got_up.data(),
                         pool);
    EXPECT_EQ(got_gate[0], 0.0f);
    EXPECT_EQ(got_gate[1], 1.0f);
    EXPECT_EQ(got_up[1], 100.0f);
  });
}

TEST(RopeBackward, AgreesWithCentralDifferences) {
  const int32_t heads = 2, head_dim = 12;
  const std::vector<int32_t> positions = {0, 3, 77};
  const std::vector<float> inv_freq = {1.0f, 0.3f, 0.05f, 0.002f};
  const float magnitude = 1.25f;
  const size_t count = positions.size() * 24;
  const std::vector<float> x = RandomValues(count, 8), d = RandomValues(count, 9);
  const auto loss = [&](const std::vector<double>& at) {
    double sum = 0.0;
    for (size_t r = 0; r < positions.size() * 2; ++r) {
      for (size_t i = 0; i < 12; ++i) {
        const size_t here = r * 12 + i;
        if (i >= 8) {
          sum += d[here] * at[here];
        } else if (i < 4) {
          const float angle = static_cast<float>(positions[r / 2]) * inv_freq[i];
          const double c = std::cos(double{angle}) * magnitude;
          const double s = std::sin(double{angle}) * magnitude;
          sum += d[here] * (at[here] * c - at[here + 4] * s);
          sum += d[here + 4] * (at[here + 4] * c + at[here] * s);
        }
      }
    }
    return sum;
  };
  const auto wanted = CentralDifferences(loss, x);
  ForEachIsa([&] {
    ThreadPool pool(2);
    std::vector<float> got = d;
    RopeBackward(got.data(), positions, heads, head_dim, inv_freq, magnitude, pool);
    ExpectGradient(got, wanted);
  });
}

TEST(AddBiasBackward, AddsColumnsInOrder) {
  const std::vector<float> d = RandomValues(50 * 131, 10);
  ForEachIsa([&] {
    std::vector<float> one(131, 1.0f), many(131, 1.0f);
    ThreadPool single(1), pool(3);
    AddBiasBackward(d.data(), 50, one, single);
    AddBiasBackward(d.data(), 50, many, pool);
    EXPECT_EQ(one, many);
    for (size_t c = 0; c < 131; ++c) {
      double sum = 1.0;
      for (size_t r = 0; r < 50; ++r) sum += d[r * 131 + c];
      ASSERT_NEAR(one[c], sum, 1e-4);
    }
  });
}

TEST(GatherRowsBackward, AddsWhereATokenComesTwice) {
  const std::vector<int32_t> ids = {2, 0, 2};
  const std::vector<float> d = {1, 2, 3, 4, 5, 6};
  std::vector<float> w(8, 10.0f);
  ThreadPool pool(2);
  GatherRowsBackward(d.data(), ids, 2, 0.5f, w.data(), pool);
  EXPECT_EQ(w, (std::vector<float>{11.5f, 12, 10, 10, 13, 14, 10, 10}));
}

TEST(Rows, ScaleAndNorm) {
  ThreadPool pool(2);
  std::vector<float> x = {3, 4, 0, -5, 12, 0};
  std::vector<float> norms(2);
  ForEachIsa([&] {
    RowNorms(x.data(), 2, 3, norms.data(), pool);
    EXPECT_EQ(norms, (std::vector<float>{5, 13}));
  });
  ScaleColumns(x.data(), 2, std::vector<float>{2, 10, 7}, pool);
  EXPECT_EQ(x, (std::vector<float>{6, 40, 0, -10, 120, 0}));
  Multiply(x.data(), std::vector<float>{1, 0.5f, 9, -1, 0, 1}.data(), 6, pool);
  EXPECT_EQ(x, (std::vector<float>{6, 20, 0, 10, 0, 0}));
}

}  // namespace
}  // namespace jikji::kernels
