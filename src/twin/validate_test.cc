#include "twin/validate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_rounds.h"
#include "twin/kernel_regression.h"
#include "twin/mean_field.h"
#include "twin/random.h"

namespace jikji::twin {
namespace {

// The same by its definition: the group's points are left out and the rest is solved.
std::vector<double> PredictOneByOne(const std::vector<std::vector<double>>& kernel,
                                    const std::vector<double>& values,
                                    const std::vector<uint32_t>& groups) {
  const size_t n = values.size();
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(n);
  std::vector<double> predicted(n);
  for (size_t target = 0; target < n; ++target) {
    std::vector<size_t> kept;
    for (size_t i = 0; i < n; ++i) {
      if (groups[i] != groups[target]) kept.push_back(i);
    }
    const size_t m = kept.size();
    std::vector<std::vector<double>> a(m, std::vector<double>(m + 1));
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < m; ++j) a[i][j] = kernel[kept[i]][kept[j]];
      a[i][m] = values[kept[i]] - mean;
    }
    for (size_t k = 0; k < m; ++k) {
      for (size_t i = k + 1; i < m; ++i) {
        const double factor = a[i][k] / a[k][k];
        for (size_t j = k; j <= m; ++j) a[i][j] -= factor * a[k][j];
      }
    }
    for (size_t k = m; k-- > 0;) {
      for (size_t j = k + 1; j < m; ++j) a[k][m] -= a[k][j] * a[j][m];
      a[k][m] /= a[k][k];
    }
    predicted[target] = mean;
    for (size_t i = 0; i < m; ++i) predicted[target] += kernel[target][kept[i]] * a[i][m];
  }
  return predicted;
}

TEST(HeldOutRegression, AgreesWithLeavingGroupsOutOneByOne) {
  Random random(4);
  for (int round = 0; round < TestRounds(10); ++round) {
    const size_t n = 10 + random.Below(40);
    std::vector<double> places, values;
    std::vector<uint32_t> groups;
    for (size_t i = 0; i < n; ++i) {
      places.push_back(random.Uniform() * 5);
      values.push_back(std::sin(places.back()) + 0.1 * random.Uniform());
      groups.push_back(static_cast<uint32_t>(random.Below(6)));
    }
    const double noise = 0.05;
    const auto covariance = [&](size_t i, size_t j) {
      return std::exp(-(places[i] - places[j]) * (places[i] - places[j]));
    };
    std::vector<std::vector<double>> kernel(n, std::vector<double>(n));
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) kernel[i][j] = covariance(i, j) + (i == j ? noise : 0);
    }
    const auto regression = HeldOutRegression::Create(n, covariance, noise);
    ASSERT_TRUE(regression);
    const auto fast = regression->Predict(values, groups);
    const auto slow = PredictOneByOne(kernel, values, groups);
    for (size_t i = 0; i < n; ++i) ASSERT_NEAR(fast[i], slow[i], 1e-8);
  }
}

TEST(HeldOutRegression, RefusesAKernelThatIsNone) {
  EXPECT_FALSE(HeldOutRegression::Create(
      3, [](size_t, size_t) { return -1.0; }, 0));
}

constexpr const char* kHead =
    "silicon_data_source,backend,backend_version,model_path,system,precision,mode,isl,osl,batch_"
    "size,tp_size,"
    "pp_size,attention_dp_size,moe_tp_size,moe_ep_size,prefill_num_workers,prefill_tp_size,"
    "prefill_pp_size,prefill_attention_dp_size,prefill_moe_tp_size,prefill_moe_ep_size,"
    "decode_num_workers,decode_tp_size,decode_pp_size,decode_attention_dp_size,"
    "decode_moe_tp_size,decode_moe_ep_size,silicon_ttft_ms,silicon_tpot_ms\n";

TEST(SiliconPoints, ReadsBothKinds) {
  const auto points = ParseSiliconPoints(
      std::string(kHead) +
          "dump; silicon_concurrency=64; "
          "x,vllm,0.1,M,h200,fp8,agg,1024,512,8,4,1,1,1,8,,,,,,,,,,,,,"
          "200,20\n"
          "dump; "
          "silicon_concurrency=8,vllm,0.1,M,h200,fp8,disagg,1024,512,,,,,,,2,1,1,4,1,4,3,8,1,1,1,"
          "8,100,10\n",
      "p");
  ASSERT_TRUE(points) << points.error().ToString();
  ASSERT_EQ(points->size(), 2u);
  EXPECT_EQ((*points)[0].concurrency, 64);
  EXPECT_EQ((*points)[0].gpus, 8);
  EXPECT_DOUBLE_EQ((*points)[0].tpot_s, 0.02);
  EXPECT_EQ((*points)[1].gpus, 2 * 4 + 3 * 8);
  EXPECT_NE((*points)[0].configuration, (*points)[1].configuration);
}

TEST(SiliconPoints, NamesWhatIsMissingOrWrong) {
  EXPECT_NE(ParseSiliconPoints("a,b\n1,2\n", "p").error().message.find("silicon_data_source"),
            std::string::npos);
  const auto wrong = ParseSiliconPoints(
      std::string(kHead) + "dump,vllm,0.1,M,h200,fp8,agg,many,512,8,4,1,1,1,1,,,,,,,,,,,,,1,1\n",
      "p");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().where.find("p:2: isl"), std::string::npos);
}

TEST(PowerTable, InterpolatesAndHoldsOut) {
  std::string csv = "op_name,gemm_dtype,m,n,latency,power,power_limit\n";
  for (int m = 1; m <= 4096; m *= 2) {
    for (int n = 64; n <= 4096; n *= 2) {
      csv += "gemm,fp8," + std::to_string(m) + "," + std::to_string(n) + ",0.1," +
             std::to_string(200 + 20 * std::log2(m * n)) + ",700\n";
    }
  }
  const auto rows = ParsePowerRows(csv, "p");
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(rows->size(), 13u * 7u);
  const PowerErrors errors = ValidatePower(*rows);
  EXPECT_GT(errors.held_out, 3u);
  EXPECT_LT(errors.watts, 0.06);
  const PowerTable table(*rows);
  EXPECT_NEAR(*table.Watts(rows->front().kind, rows->front().shape), rows->front().watts, 1);
  EXPECT_FALSE(table.Watts("no such kind", {0, 0}));
  EXPECT_FALSE(ParsePowerRows("a,b\n1,2\n", "p"));
}

SiteModel YearModel() {
  SiteModel model;
  model.nodes = 1000;
  model.gpu = {.idle_w = 136, .floor_w = 200, .decode_w = 370, .prefill_w = 690, .limit_w = 700};
  model.other_w = 4600;
  model.rack_limit_w = 40'800;
  model.engine.step = {.base_s = 0.008, .sequence_s = 5e-5, .context_s = 2e-8, .prompt_s = 2.5e-5};
  model.tariff.energy_won = {{{100, 150, 200}, {100, 150, 200}, {100, 150, 200}}};
  return model;
}

TEST(MeanField, ServesWhatFitsWithinItsEnvelope) {
  SiteModel model = YearModel();
  MeanFieldOptions options{.seconds = 3 * 86400, .step_s = 60, .requests_per_second = 2000};
  const auto easy = SimulateMeanField(model, options);
  ASSERT_TRUE(easy) << easy.error().ToString();
  EXPECT_LT(easy->refused, 1e-3) << "no more than rounding";
  EXPECT_EQ(easy->steps_over, 0);
  EXPECT_EQ(easy->days.size(), 3u);
  EXPECT_NEAR(easy->requests / (2000 * 3 * 86400.0), 1, 0.1) << "but for batch still deferred";
  options.requests_per_second = 1e6;
  EXPECT_GT(SimulateMeanField(model, options)->refused, 0);
  model.megawatts = 4;
  const auto tight = SimulateMeanField(model, options);
  EXPECT_EQ(tight->steps_over, 0);
  EXPECT_LE(tight->peak_mw, 4);
  model.megawatts = -1;
  EXPECT_EQ(SimulateMeanField(model, options).error().where, "megawatts");
}

TEST(MeanField, EveryNodeButTheSparesServes) {
  SiteModel model = YearModel();
  const int32_t groups = model.feeds * model.loops;
  const MeanFieldOptions options{.seconds = 3600, .step_s = 60, .requests_per_second = 1e9};
  const auto served = [&](int32_t nodes, int32_t spares) {
    model.nodes = nodes;
    model.spare_nodes = spares;
    const auto report = SimulateMeanField(model, options);
    return report ? report->requests : 0;
  };
  const double full = served(groups, 0);
  ASSERT_GT(full, 0);
  // Near: the GPUs of a group are whole, its limit is not.
  EXPECT_NEAR(served(2 * groups - 1, 0) / full, (2.0 * groups - 1) / groups, 0.03);
  EXPECT_NEAR(served(groups, groups / 2) / full, 0.5, 0.03);
}

TEST(MeanField, SteadyStateObeysLittlesLaw) {
  const StepModel step = YearModel().engine.step;
  const SteadyNode node = SteadyState(step, 3, 800, 1200, 200, 1, 1);
  EXPECT_LT(node.load, 1);
  EXPECT_NEAR(node.running, 3 * 200 * node.step_s, 1e-9);
  // A step's time is that of what it does.
  const double prompt_each_step = 3 * 800 * node.step_s;
  EXPECT_NEAR(
      node.step_s,
      step.DecodeSeconds(node.running, node.running * 1200) + prompt_each_step * step.prompt_s,
      1e-9);
}

}  // namespace
}  // namespace jikji::twin
