// A task put to a model, and what came of it.
#ifndef JIKJI_MEASURE_HARNESS_EVALUATE_H_
#define JIKJI_MEASURE_HARNESS_EVALUATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "measure/harness/metric.h"
#include "measure/harness/scorer.h"
#include "measure/harness/task.h"

namespace jikji::measure {

struct TaskResult {
  std::string name;
  std::string group;
  std::vector<Metric> metrics;                      // the first is the one that counts in a group
  std::vector<size_t> gold;                         // of each item with choices
  std::vector<std::vector<double>> loglikelihoods;  // of those choices
  std::vector<std::string> answers;                 // of each exact item or question
};

// `shots` examples stand before each item with choices, drawn with `seed`.
Result<TaskResult> Evaluate(Scorer& scorer, const Task& task, size_t shots, uint64_t seed,
                            const ShowProgress& progress = {});

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_EVALUATE_H_
