#include "fleet/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "base/file.h"
#include "base/test_rounds.h"
#include "fleet/testing.h"

namespace jikji::fleet {
namespace {

const std::string kData = JIKJI_SOURCE_DIR "/src/fleet/data/";

std::string SiteText() { return *ReadFile(kData + "site.toml"); }

Tariff KepcoB2() {
  auto tariff = ReadTariff(*ReadFile(kData + "tariff.toml"), "tariff.toml", "highB_154kV", "II");
  EXPECT_TRUE(tariff) << tariff.error().ToString();
  return *tariff;
}

Catalog Chips() {
  auto catalog = ReadCatalog(*ReadFile(kData + "chips.toml"), "chips.toml");
  EXPECT_TRUE(catalog) << catalog.error().ToString();
  return *catalog;
}

PlanInput Input() {
  auto input = ReadPlanInput(SiteText(), "site.toml");
  EXPECT_TRUE(input) << input.error().ToString();
  return *input;
}

TEST(Tariff, HoursOfTheYear) {
  EXPECT_EQ(HourAt(0).month, 1);
  EXPECT_EQ(HourAt(0).weekday, 0);
  EXPECT_EQ(HourAt(31 * 24).month, 2);
  EXPECT_EQ(HourAt(364 * 24 + 23).month, 12);
  EXPECT_EQ(HourAt(364 * 24 + 23).hour, 23);
  EXPECT_EQ(HourAt(365 * 24).month, 1);
}

TEST(Tariff, PricesByBand) {
  const Tariff tariff = KepcoB2();
  const auto price = [&](int32_t month, int32_t weekday, int32_t hour) {
    return PriceAt(tariff, {.month = month, .weekday = weekday, .hour = hour});
  };
  const auto all_in = [](double energy) { return energy * 1.027 + 14; };
  EXPECT_DOUBLE_EQ(price(7, 2, 16), all_in(239.1));
  EXPECT_DOUBLE_EQ(price(7, 2, 9), all_in(174.8));
  EXPECT_DOUBLE_EQ(price(7, 2, 23), all_in(127.6));
  EXPECT_DOUBLE_EQ(price(7, 5, 16), all_in(174.8)) << "Saturday has no peak";
  EXPECT_DOUBLE_EQ(price(7, 6, 16), all_in(127.6)) << "Sunday is light";
  EXPECT_DOUBLE_EQ(price(4, 6, 12), all_in(127.6 / 2)) << "spring weekends at noon";
  EXPECT_DOUBLE_EQ(price(1, 0, 10), all_in(214.1));
}

TEST(Tariff, AFlatLoadPaysWhatThePressReports) {
  const Tariff tariff = KepcoB2();
  const std::vector<double> load(8760, 250);
  const Bill bill = BillOfYear(tariff, load);
  const double won = bill.total() / (250 * 8760.0 * 1000);
  EXPECT_GT(won, 170);
  EXPECT_LT(won, 190);
  EXPECT_NEAR(bill.base_won, 250e3 * 12 * 7380 * 1.027, 1);
}

TEST(Tariff, BatchRunsInTheCheapestHours) {
  const std::vector<double> prices = {3, 1, 2, 1};
  EXPECT_FALSE(RunBatchNow(prices, 3));
  EXPECT_TRUE(RunBatchNow(prices, 4));
  EXPECT_TRUE(RunBatchNow(std::span(prices).subspan(1), 1)) << "the earlier of equals";
  EXPECT_FALSE(RunBatchNow({}, 1));
  EXPECT_FALSE(RunBatchNow(prices, 0));
}

TEST(Tariff, UnknownRatesAreNamed) {
  const auto missing = ReadTariff(*ReadFile(kData + "tariff.toml"), "t", "lowA", "I");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("lowA I"), std::string::npos);
}

TEST(Catalog, ThroughputBetweenPoints) {
  Throughput row;
  row.points = {{20, 1600}, {50, 400}, {100, 100}};
  EXPECT_DOUBLE_EQ(ThroughputAt(row, 10), 1600);
  EXPECT_DOUBLE_EQ(ThroughputAt(row, 50), 400);
  EXPECT_NEAR(ThroughputAt(row, 70.710678), 200, 1e-3);
  EXPECT_DOUBLE_EQ(ThroughputAt(row, 101), 0);
}

TEST(Plan, CountsRacksAsTheArithmeticSays) {
  PlanInput input = Input();
  input.phases = {{.year = 2027, .megawatts = 250, .chip = "GB200"}};
  input.power_reserve = 0;
  input.budget_won = 1e18;
  const auto plan = PlanSite(input, Chips(), KepcoB2());
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_EQ(plan->racks, static_cast<int64_t>(250e6 / 1.1 * 0.9 / 132e3));
  EXPECT_EQ(plan->gpus, plan->racks * 72);
  EXPECT_EQ(plan->phases[0].limited_by, Limit::kPower);
  double tokens = 0, gpus = 0;
  for (const ModelPlan& model : plan->phases[0].models) {
    tokens += model.tokens_per_second;
    gpus += model.gpus;
  }
  EXPECT_NEAR(tokens, plan->phases[0].peak_tokens_per_second, 1);
  EXPECT_NEAR(gpus, static_cast<double>(plan->gpus) * input.availability, 1);
}

TEST(Plan, NeverDrawsOrSpendsMoreThanItMay) {
  std::mt19937_64 random(3);
  const Catalog catalog = Chips();
  const Tariff tariff = KepcoB2();
  const char* chips[] = {"H200", "B200", "GB200", "GB300", "VR"};
  for (int round = 0; round < TestRounds(150); ++round) {
    PlanInput input = Input();
    input.pue = 1 + static_cast<double>(Draw(random, 0, 100)) / 100;
    input.budget_won = static_cast<double>(Draw(random, 1, 20'000)) * 1e9;
    for (PhaseInput& phase : input.phases) {
      phase.chip = chips[Draw(random, 0, 4)];
      phase.max_racks = Draw(random, 0, 1) == 0 ? 0 : Draw(random, 1, 500);
    }
    const auto plan = PlanSite(input, catalog, tariff);
    if (!plan) {
      ASSERT_EQ(plan.error().code, ErrorCode::kInvalidArgument);
      continue;
    }
    ASSERT_LE(plan->capex_won, input.budget_won);
    for (size_t i = 0; i < plan->phases.size(); ++i) {
      const PhasePlan& phase = plan->phases[i];
      ASSERT_LE(phase.it_mw / (1 - input.it_overhead) * input.pue, input.phases[i].megawatts);
      const int64_t most = input.phases[i].max_racks;
      ASSERT_TRUE(most == 0 || phase.racks <= most);
    }
    for (const YearPlan& year : plan->years) {
      ASSERT_LE(year.peak_mw, input.megawatts);
      ASSERT_LE(year.mean_mw, year.peak_mw + 1e-9);
      ASSERT_TRUE(std::isfinite(year.won_per_million_tokens));
    }
  }
}

TEST(Plan, WhatLimitsIsTold) {
  PlanInput input = Input();
  input.budget_won = 1e12;
  EXPECT_EQ(PlanSite(input, Chips(), KepcoB2())->phases[0].limited_by, Limit::kMoney);
  input = Input();
  input.phases[0].max_racks = 7;
  EXPECT_EQ(PlanSite(input, Chips(), KepcoB2())->phases[0].limited_by, Limit::kChips);
}

TEST(Plan, SensitivityIsOrderedAndMovesTheRightWay) {
  const auto levers = PlanSensitivity(Input(), Chips(), KepcoB2());
  ASSERT_TRUE(levers);
  ASSERT_GE(levers->size(), 8u);
  const auto find = [&](const char* what) {
    return *std::ranges::find(*levers, what, &Sensitivity::what);
  };
  EXPECT_GT(find("throughput").low_won, find("throughput").high_won);
  EXPECT_LT(find("tariff").low_won, find("tariff").high_won);
  EXPECT_GT(find("chip_price").low_gpus, find("chip_price").high_gpus);
  const auto width = [](const Sensitivity& l) { return std::abs(l.high_won - l.low_won); };
  for (size_t i = 1; i < levers->size(); ++i) {
    EXPECT_LE(width((*levers)[i]), width((*levers)[i - 1]));
  }
}

// The error of a site whose text had `from` replaced.
std::string ErrorWhere(const std::string& from, const std::string& to) {
  const std::string text =
      std::regex_replace(SiteText(), std::regex(from), to, std::regex_constants::format_first_only);
  const auto input = ReadPlanInput(text, "s");
  if (!input) return input.error().ToString();
  const auto plan = PlanSite(*input, Chips(), KepcoB2());
  return plan ? "no error" : plan.error().ToString();
}

TEST(Plan, BadInputNamesItsField) {
  const auto names = [](const std::string& error, const char* field) {
    EXPECT_NE(error.find(field), std::string::npos) << error;
  };
  names(ErrorWhere("megawatts = 250", "megawatts = -250"), "megawatts");
  names(ErrorWhere("pue = 1.10", "pue = 0.9"), "pue");
  names(ErrorWhere("pue = 1.10", "pue = \"low\""), "pue");
  names(ErrorWhere("pue = 1.10", "pu = 1.1"), "pue");
  names(ErrorWhere("pue = 1.10", "pue = 1.1\npeu = 1.1"), "peu");
  names(ErrorWhere("won = 10_000_000_000_000", "won = 5"), "budget.won");
  names(ErrorWhere("megawatts = 50 ", "megawatts = 500 "), "no error");
  names(ErrorWhere("megawatts = 100", "megawatts = 300"), "phase");
  names(ErrorWhere("chip = \"GB300\"", "chip = \"GB400\""), "phase[0].chip");
  names(ErrorWhere("speed = 50", "speed = 500"), "model[0].speed");
  names(ErrorWhere("share = 0.3", "share = 0.4"), "model");
  names(ErrorWhere("hours = .0.45,", "hours = [5,"), "users.hours");
  names(ErrorWhere("\\[budget\\]", "[budge]"), "budget");
  names(ErrorWhere("name = ", "name "), "s:");
}

TEST(Plan, AnyTextIsAnErrorOrAPlan) {
  std::mt19937_64 random(17);
  const std::string text = SiteText();
  for (int round = 0; round < TestRounds(400); ++round) {
    std::string broken = text;
    for (int64_t i = Draw(random, 1, 4); i > 0; --i) {
      const auto at = static_cast<size_t>(Draw(random, 0, static_cast<int64_t>(broken.size()) - 1));
      if (Draw(random, 0, 1) == 0) {
        broken[at] = static_cast<char>(Draw(random, 32, 126));
      } else {
        broken.erase(at, static_cast<size_t>(Draw(random, 1, 20)));
      }
    }
    const auto input = ReadPlanInput(broken, "s");
    if (!input) {
      ASSERT_FALSE(input.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace jikji::fleet
