#include "measure/harness/score_table.h"

#include <algorithm>

namespace jikji::measure {
namespace {

Score MakeScore(std::string name, std::vector<Metric> of, uint64_t seed) {
  Score score{
      .name = std::move(name), .of = std::move(of), .estimate = {}, .lower_is_better = false};
  score.lower_is_better = score.of.front().lower_is_better;
  score.estimate = Bootstrap(score.of, seed);
  return score;
}

}  // namespace

std::vector<Score> ScoreTable(std::span<const TaskResult> results, uint64_t seed) {
  std::vector<Score> scores;
  for (size_t i = 0; i < results.size(); ++i) {
    const TaskResult& result = results[i];
    for (const Metric& metric : result.metrics) {
      const bool first = &metric == &result.metrics.front();
      scores.push_back(
          MakeScore(first ? result.name : result.name + "." + metric.name, {metric}, seed));
    }
    if (result.group.empty()) continue;
    std::vector<Metric> group;
    bool last = true;
    for (size_t j = 0; j < results.size(); ++j) {
      if (results[j].group != result.group) continue;
      group.push_back(results[j].metrics.front());
      last = last && j <= i;
    }
    if (last && group.size() == TasksOfGroup(result.group).size()) {
      scores.push_back(MakeScore(result.group, std::move(group), seed));
    }
  }
  return scores;
}

Estimate Difference(const Score& ours, const Score& theirs, uint64_t seed) {
  return BootstrapDifference(ours.of, theirs.of, seed);
}

}  // namespace jikji::measure
