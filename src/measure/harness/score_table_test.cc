#include "measure/harness/score_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jikji::measure {
namespace {

using ::testing::ElementsAre;

TaskResult Result(const std::string& name, const std::string& group, double acc) {
  TaskResult result;
  result.name = name;
  result.group = group;
  result.metrics = {{.name = "acc", .kind = MetricKind::kMean, .first = {acc, acc}, .second = {}},
                    {.name = "f1", .kind = MetricKind::kMean, .first = {0, 0}, .second = {}}};
  return result;
}

std::vector<std::string> Names(const std::vector<Score>& scores) {
  std::vector<std::string> names;
  for (const Score& score : scores) names.push_back(score.name);
  return names;
}

TEST(ScoreTableTest, TheFirstMetricHasTheTasksName) {
  const std::vector<TaskResult> results = {Result("klue_nli", "", 0.5)};
  EXPECT_THAT(Names(ScoreTable(results, 1)), ElementsAre("klue_nli", "klue_nli.f1"));
}

TEST(ScoreTableTest, AGroupNeedsAllItsTasks) {
  std::vector<TaskResult> results;
  for (const std::string& name : TasksOfGroup("kobest")) {
    EXPECT_THAT(Names(ScoreTable(results, 1)), ::testing::Not(::testing::Contains("kobest")));
    results.push_back(Result(name, "kobest", 0.1 * static_cast<double>(results.size())));
  }
  results.push_back(Result("klue_nli", "", 1));
  const auto scores = ScoreTable(results, 1);
  ASSERT_EQ(scores.size(), 2 * 6 + 1u);
  EXPECT_EQ(scores[10].name, "kobest");
  EXPECT_NEAR(scores[10].estimate.value, 0.2, 1e-12);
  EXPECT_EQ(scores[10].of.size(), 5u);
  EXPECT_NEAR(Difference(scores[10], scores[10], 1).value, 0, 1e-12);
}

}  // namespace
}  // namespace jikji::measure
