#include "measure/harness/metric.h"

#include <gtest/gtest.h>

#include <vector>

namespace jikji::measure {
namespace {

ChoiceItem Item(std::vector<std::string> choices, size_t gold) {
  return {.context = "문맥", .choices = std::move(choices), .gold = gold};
}

TEST(MetricTest, LengthsAreOfCharactersAndOfBytes) {
  // "아니오" has 3 characters and 9 bytes, "abcd" 4 and 4.
  const std::vector<ChoiceItem> items = {Item({"아니오", "abcd"}, 1), Item({"아니오", "abcd"}, 0)};
  const std::vector<std::vector<double>> scores = {{-6, -6.5}, {-6, -6.5}};
  const auto metrics = ChoiceMetrics(items, scores);
  ASSERT_EQ(metrics.size(), 4u);
  EXPECT_EQ(metrics[0].name, "acc");
  EXPECT_EQ(metrics[0].first, (std::vector<double>{0, 1}));  // −6 is more than −6.5
  EXPECT_EQ(metrics[1].name, "acc_norm");
  EXPECT_EQ(metrics[1].first, (std::vector<double>{1, 0}));  // −2 is less than −1.625
  EXPECT_EQ(metrics[2].name, "acc_bytes");
  EXPECT_EQ(metrics[2].first, (std::vector<double>{0, 1}));  // −0.67 is more than −1.625
}

TEST(MetricTest, OfEqualChoicesTheFirstIsChosen) {
  EXPECT_EQ(BestChoice(std::vector<double>{-2, -1, -1}), 1u);
  EXPECT_EQ(BestChoice(std::vector<double>{-2, -4}, std::vector<double>{1, 2}), 0u);
}

TEST(MetricTest, MacroF1IsScikitLearns) {
  // f1_score([0,0,1,1,2], [0,1,1,1,1], average="macro"): (2/3 + 2/3 + 0) / 3.
  Metric metric{.name = "f1",
                .kind = MetricKind::kMacroF1,
                .first = {0, 0, 1, 1, 2},
                .second = {0, 1, 1, 1, 1}};
  EXPECT_NEAR(metric.Value(), 4.0 / 9, 1e-12);
  // A class that occurs only among the chosen counts too.
  metric.first = {0, 0};
  metric.second = {0, 3};
  EXPECT_NEAR(metric.Value(), (2.0 / 3 + 0) / 2, 1e-12);
}

TEST(MetricTest, DrawnItemsCountAsOftenAsDrawn) {
  const Metric mean{.name = "acc", .kind = MetricKind::kMean, .first = {1, 0, 0}, .second = {}};
  EXPECT_DOUBLE_EQ(mean.Value(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(mean.Value(std::vector<uint32_t>{0, 0, 1}), 2.0 / 3);
  const Metric ratio{
      .name = "bits", .kind = MetricKind::kRatio, .first = {10, 2}, .second = {5, 5}};
  EXPECT_DOUBLE_EQ(ratio.Value(), 1.2);
  EXPECT_DOUBLE_EQ(ratio.Value(std::vector<uint32_t>{1, 1}), 0.4);
  EXPECT_EQ(Metric{}.Value(), 0);
}

}  // namespace
}  // namespace jikji::measure
