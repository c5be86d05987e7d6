// Every figure of an evaluation under one name, with its interval.
//
// A task's first metric has the task's name, the others `task.metric`; a group's name is the mean
// of its tasks' first metrics, where all of them were measured.
#ifndef JIKJI_MEASURE_HARNESS_SCORE_TABLE_H_
#define JIKJI_MEASURE_HARNESS_SCORE_TABLE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "measure/harness/bootstrap.h"
#include "measure/harness/evaluate.h"

namespace jikji::measure {

struct Score {
  std::string name;
  std::vector<Metric> of;  // one, or a group's
  Estimate estimate;
  bool lower_is_better = false;
};

// In the order of `results`, each group behind its last task.
std::vector<Score> ScoreTable(std::span<const TaskResult> results, uint64_t seed);

// How far `ours` is above `theirs`. Both are of the same items.
Estimate Difference(const Score& ours, const Score& theirs, uint64_t seed);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_SCORE_TABLE_H_
