#include "app/plan_report.h"

#include <gtest/gtest.h>

#include "app/fleet_data.h"
#include "app/html_page.h"
#include "app/svg_plot.h"

namespace jikji {
namespace {

struct Example {
  Example() {
    auto input = ReadFleetInput({}, {}, {});
    EXPECT_TRUE(input) << input.error().ToString();
    plan = *PlanSite(input->site, input->catalog, input->tariff);
    sensitivity = *PlanSensitivity(input->site, input->catalog, input->tariff);
  }
  fleet::SitePlan plan;
  std::vector<fleet::Sensitivity> sensitivity;
};

size_t Count(const std::string& text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(PlanReport, SumsOfWonAreNotRoundedAway) {
  EXPECT_EQ(WonText(0), "0");
  EXPECT_EQ(WonText(2504.2), "2504 won");
  EXPECT_EQ(WonText(1'234'567), "1.235 M won");
  EXPECT_EQ(WonText(2.5e9), "2.5 bn won");
  EXPECT_EQ(WonText(3.1e12), "3.10 T won");
}

TEST(PlanReport, TextHasARowForEveryPhaseAndYear) {
  const Example example;
  const std::string text = PlanText(example.plan, example.sensitivity);
  for (const fleet::YearPlan& year : example.plan.years) {
    EXPECT_NE(text.find("\n" + std::to_string(year.year) + " "), std::string::npos) << text;
  }
  EXPECT_NE(text.find("VR throughput"), std::string::npos) << "estimates are told";
}

TEST(PlanReport, JsonHoldsThePlan) {
  const Example example;
  const boost::json::object json = PlanJson(example.plan, example.sensitivity);
  EXPECT_EQ(json.at("gpus").as_int64(), example.plan.gpus);
  EXPECT_EQ(json.at("years").as_array().size(), example.plan.years.size());
  EXPECT_TRUE(json.at("grid_impact").as_object().at("needed").as_bool());
}

TEST(PlanReport, PageIsWholeAndEscaped) {
  Example example;
  example.plan.input.name = "<script>&";
  const std::string page = PlanPage(example.plan, example.sensitivity);
  EXPECT_EQ(Count(page, "<svg"), 4u);
  EXPECT_EQ(Count(page, "<svg"), Count(page, "</svg>"));
  EXPECT_EQ(Count(page, "<script>"), 0u);
  EXPECT_NE(page.find("&lt;script&gt;&amp;"), std::string::npos);
  EXPECT_EQ(Count(page, "\"nan"), 0u) << "a place in a drawing";
}

TEST(SvgPlot, TicksAreRoundAndReachTheTop) {
  EXPECT_EQ(Ticks(10), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  for (const double most : {0.003, 1.0, 7.3, 99.0, 12345.6}) {
    const std::vector<double> ticks = Ticks(most);
    EXPECT_GE(ticks.back(), most);
    EXPECT_LE(ticks.size(), 8u);
  }
  EXPECT_EQ(Ticks(0).size(), 2u);
}

TEST(SvgPlot, DrawsWhatIsEmptyOrNotANumber) {
  EXPECT_EQ(LinePlot({}, "x", "y").find("nan"), std::string::npos);
  const std::string plot = LinePlot({{"a", {{0, 1}, {1, 0.0 / 0.0}, {2, 3}}}}, "x", "y");
  EXPECT_EQ(plot.find("nan"), std::string::npos);
  EXPECT_EQ(BarPlot({}, {}, "y").find("nan"), std::string::npos);
  EXPECT_EQ(RangePlot({}, 5, "x").find("nan"), std::string::npos);
}

}  // namespace
}  // namespace jikji
