#include "app/simulate_report.h"

#include <gtest/gtest.h>

#include "app/fleet_data.h"
#include "app/simulate_compare.h"
#include "app/text_table.h"
#include "twin/engines.h"
#include "twin/site_model.h"

namespace jikji {
namespace {

twin::SiteReport SomeReport() {
  twin::SiteReport report;
  report.seconds = 600;
  report.classes[1].offered = 10;
  report.classes[1].finished = report.classes[1].good = 9;
  report.classes[1].unfinished = 1;
  report.classes[1].ttft.Add(0.1);
  report.requests = 9;
  report.series = {{.hour = 0, .meter_mw = 1, .envelope_mw = 2},
                   {.hour = 1, .meter_mw = 1.5, .envelope_mw = 2}};
  return report;
}

TEST(SimulateReport, HoldsTheNumbersInEveryForm) {
  const twin::SiteReport report = SomeReport();
  const SimulationRun run{"a <site>", 2};
  const boost::json::object json = SimulationJson(report, run);
  EXPECT_EQ(json.at("classes").at("standard").at("offered").as_int64(), 10);
  EXPECT_EQ(json.at("requests_per_wall_second").as_double(), 4.5);
  EXPECT_EQ(json.at("series").as_array().size(), 2u);
  EXPECT_NE(SimulationText(report, run).find("90.00 %"), std::string::npos);
  const std::string page = SimulationPage(report, run);
  EXPECT_NE(page.find("a &lt;site&gt;"), std::string::npos);
  EXPECT_EQ(page.find("\"nan"), std::string::npos);
}

TEST(SimulateReport, EmptyRunsHaveNoNonsense) {
  const SimulationRun run{"empty", 0};
  EXPECT_EQ(SimulationText({}, run).find("nan"), std::string::npos);
  EXPECT_EQ(MeanFieldText({}, run).find("nan"), std::string::npos);
  EXPECT_EQ(MeanFieldPage({}, run).find("\"nan"), std::string::npos);
}

TEST(SimulateCompare, TellsWhatManagingKeptAndSaved) {
  twin::SiteReport managed = SomeReport(), unmanaged = SomeReport();
  managed.energy_kwh = 900;
  managed.energy_won = 60;
  unmanaged.energy_kwh = 1000;
  unmanaged.energy_won = 80;
  unmanaged.steps_over = 7;
  const boost::json::object json = ComparisonJson(managed, unmanaged);
  EXPECT_NEAR(json.at("energy_saved").as_double(), 0.1, 1e-12);
  EXPECT_NEAR(json.at("won_saved").as_double(), 0.25, 1e-12);
  EXPECT_NEAR(json.at("managed").at("standard_in_promise").as_double(), 0.9, 1e-12);
  const std::string text = ComparisonText(managed, unmanaged);
  EXPECT_NE(text.find("10.0 % of energy and 25.0 % of its cost"), std::string::npos) << text;
  EXPECT_NE(text.find("7 / "), std::string::npos) << text;
  EXPECT_EQ(ComparisonText({}, {}).find("nan"), std::string::npos);
}

TEST(FleetData, BuiltInEnginesAndEventsRead) {
  const auto engines = ReadFleetData({}, "engines.toml");
  ASSERT_TRUE(engines);
  const auto read = twin::ReadEngines(engines->text, engines->where);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_TRUE(twin::FindEngine(*read, "gpt-oss-120b", "H200"));
  EXPECT_NE(twin::FindEngine(*read, "gpt-oss-120b", "H900").error().message.find("H200"),
            std::string::npos);
  const auto week = ReadFleetData({}, "week.toml");
  const auto events = twin::ReadSiteEvents(week->text, week->where);
  ASSERT_TRUE(events) << events.error().ToString();
  EXPECT_EQ(events->size(), 5u);
  EXPECT_FALSE(twin::ReadSiteEvents("[[event]]\nkind = \"flood\"\nat_hour = 1\nhours = 1\n", "e"));
}

TEST(TextTable, HangulTakesTwoColumns) {
  EXPECT_EQ(TextColumns("ab"), 2u);
  EXPECT_EQ(TextColumns("가나"), 4u);
  EXPECT_EQ(AlignedRows({{"가", "1"}, {"ab", "10"}}), "가   1\nab  10\n");
}

}  // namespace
}  // namespace jikji
