#include "measure/svg_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <regex>

namespace jikji::measure {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SvgChartTest, TicksAreRoundFewAndReachTheMost) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> exponent(-6, 9);
  for (int i = 0; i < 10000; ++i) {
    const double most = std::pow(10, exponent(random));
    const auto ticks = RoundTicks(most);
    ASSERT_GE(ticks.size(), 4u) << most;
    ASSERT_LE(ticks.size(), 11u) << most;
    EXPECT_EQ(ticks.front(), 0);
    EXPECT_GE(ticks.back(), most);
    EXPECT_LT(ticks[ticks.size() - 2], most);
    const double step = ticks[1] / std::pow(10, std::floor(std::log10(ticks[1]) + 1e-9));
    EXPECT_TRUE(std::abs(step - 1) < 1e-6 || std::abs(step - 2) < 1e-6 || std::abs(step - 5) < 1e-6)
        << most << " in steps of " << ticks[1];
  }
}

// Every tag that is opened is closed, and no text breaks out of its place.
TEST(SvgChartTest, IsWellFormedWhateverTheTextsAre) {
  const Chart chart = {.title = "<a> & \"b\"",
                       .x_label = "x</text>",
                       .y_label = "입력",
                       .log_x = true,
                       .series = {{.name = "<>", .points = {{1, 2}, {16, 30}}}}};
  const std::string svg = RenderSvg({&chart, 1});
  EXPECT_THAT(svg, HasSubstr("&lt;a&gt; &amp; &quot;b&quot;"));
  EXPECT_THAT(svg, Not(HasSubstr("x</text></text>")));
  const std::regex tag("<[^<>]*>");
  int open = 0;
  for (std::sregex_iterator it(svg.begin(), svg.end(), tag), end; it != end; ++it) {
    const std::string text = it->str();
    if (text.ends_with("/>")) continue;
    open += text.starts_with("</") ? -1 : 1;
    EXPECT_GE(open, 0);
  }
  EXPECT_EQ(open, 0);
}

TEST(SvgChartTest, PointsLieInThePanelAndRiseWithTheirValues) {
  const Chart chart = {.title = "",
                       .x_label = "",
                       .y_label = "",
                       .log_x = true,
                       .series = {{.name = "", .points = {{1, 5}, {3, 7}, {100, 90}}}}};
  const Chart charts[] = {chart, chart};
  const std::string svg = RenderSvg(charts);
  const std::regex circle("cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
  std::vector<std::pair<double, double>> found;
  for (std::sregex_iterator it(svg.begin(), svg.end(), circle), end; it != end; ++it) {
    found.emplace_back(std::stod((*it)[1]), std::stod((*it)[2]));
  }
  ASSERT_EQ(found.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    const double left = i < 3 ? 0 : 480;
    EXPECT_TRUE(found[i].first > left && found[i].first < left + 480);
    EXPECT_TRUE(found[i].second > 0 && found[i].second < 340);
    if (i % 3 > 0) {
      EXPECT_GT(found[i].first, found[i - 1].first);
      EXPECT_LT(found[i].second, found[i - 1].second);
    }
  }
}

TEST(SvgChartTest, AnEmptyChartHasAxes) {
  const Chart chart = {
      .title = "nothing", .x_label = "", .y_label = "", .log_x = true, .series = {}};
  EXPECT_THAT(RenderSvg({&chart, 1}), HasSubstr("nothing"));
}

}  // namespace
}  // namespace jikji::measure
