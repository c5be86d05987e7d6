#include "app/eval_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jikji {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ModelReport Model(const std::string& name, std::vector<double> right) {
  measure::TaskResult result;
  result.name = "klue_nli";
  result.metrics = {
      {.name = "acc", .kind = measure::MetricKind::kMean, .first = std::move(right), .second = {}}};
  result.gold = {1, 0};
  result.loglikelihoods = {{-1, -2}, {-3, -4}};
  ModelReport model{.name = name, .text = std::nullopt, .results = {result}, .scores = {}};
  model.scores = measure::ScoreTable(model.results, 1);
  return model;
}

TEST(EvalReportTest, OneModelInEveryForm) {
  const EvalReport report{
      .shots = 2, .seed = 1, .models = {Model("a <b>", {1, 0})}, .verdicts = {}};
  const boost::json::object json = EvalJson(report);
  const auto& model = json.at("models").as_array().at(0).as_object();
  EXPECT_EQ(model.at("scores").at("klue_nli").at("value").as_double(), 0.5);
  EXPECT_EQ(model.at("scores").at("klue_nli").at("items").to_number<int>(), 2);
  EXPECT_EQ(model.at("tasks").as_array()[0].at("items").as_array()[1].at("loglikelihoods"),
            (boost::json::array{-3.0, -4.0}));
  EXPECT_THAT(EvalText(report), HasSubstr("0.5000"));
  const std::string page = EvalPage(report);
  EXPECT_THAT(page, HasSubstr("a &lt;b&gt;"));
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(EvalReportTest, TwoModelsAreSideBySide) {
  const EvalReport report{.shots = 0,
                          .seed = 1,
                          .models = {Model("ours", {1, 1}), Model("theirs", {0, 0})},
                          .verdicts = {}};
  EXPECT_EQ(EvalJson(report).at("differences").at("klue_nli").at("value").as_double(), 1);
  EXPECT_THAT(EvalText(report), HasSubstr("+1.0000*"));
}

TEST(EvalReportTest, EachFailedRequirementIsNamed) {
  const auto requirements = measure::ParseRequirements("klue_nli>=0.6,klue_nli>=0.4,kobest>=0");
  const ModelReport model = Model("ours", {1, 0});
  const auto verdicts = measure::Judge(*requirements, model.scores, {});
  const std::string failed = FailedRequirements(verdicts);
  EXPECT_THAT(failed, HasSubstr("klue_nli>=0.6"));
  EXPECT_THAT(failed, HasSubstr("0.5000"));
  EXPECT_THAT(failed, HasSubstr("kobest>=0"));
  EXPECT_THAT(failed, Not(HasSubstr("klue_nli>=0.4")));
}

}  // namespace
}  // namespace jikji
