// What a run tells the person who started it: data, memory, progress.
#ifndef JIKJI_APP_TRAIN_CONSOLE_H_
#define JIKJI_APP_TRAIN_CONSOLE_H_

#include <chrono>
#include <string>

#include "adapt/train/memory_plan.h"
#include "adapt/train/preflight.h"
#include "adapt/train/run.h"
#include "adapt/train/samples.h"
#include "base/error.h"

namespace jikji {

// Samples that were refused, by reason, with the first place of each; on standard error.
void PrintRefused(const train::Samples& samples);

void PrintPreflight(const train::Preflight& preflight);

// Prints the plan; an error where the machine has not so much memory free.
Result<> CheckMemory(const train::MemoryPlan& plan);

// Where a pass over the data is so few steps that hardly anything is learned: what helps.
void PrintShort(int64_t steps);

// That the run goes on from a checkpoint: after which step.
void PrintResumed(int64_t step);

// Step, loss, speed, memory and time left.
std::string ProgressLine(const train::RunProgress& progress);

// A line on standard error for each step: drawn over itself on a terminal, else one now and then.
class TrainProgress {
 public:
  void Show(const train::RunProgress& progress);
  void End();  // leaves the last line standing

 private:
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace jikji

#endif  // JIKJI_APP_TRAIN_CONSOLE_H_
