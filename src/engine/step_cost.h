// What a step costs, learnt from the steps that were: how many prompt tokens may go beside running
// streams, and when a draft pays.
//
// The model is linear: a step of nothing but streams takes a time of its own (reading the weights,
// mostly), and each row more its share. Both are measured as the engine runs, since they depend on
// machine, model and context. It steers the schedule alone; what is generated does not depend on
// the schedule (promise 1). Not thread-safe.
#ifndef JIKJI_ENGINE_STEP_COST_H_
#define JIKJI_ENGINE_STEP_COST_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace jikji {

class StepCost {
 public:
  // Prompts may make a step of running streams so many times as long; 0: as long as they like.
  explicit StepCost(double slowdown) : slowdown_(slowdown) {}

  // Prompt tokens that the next step may take beside `streams` running streams, at least one of
  // them. 0: the step is to show what streams cost alone.
  int32_t PromptTokens(int32_t streams) const;

  // What one row more costs, as a share of what a token of `streams` streams costs. A draft pays
  // where the chance that it is right is greater. 1: the step is to show what streams cost alone.
  double RowShare(int32_t streams) const;

  // A step of `streams` streams and `others` rows more (of prompts, and drafts) took so long.
  void Observe(int32_t streams, int32_t others, double seconds);

 private:
  static constexpr size_t kWindow = 7;

  bool known() const { return alone_count_ > 0; }
  double Alone(int32_t streams) const;

  const double slowdown_;
  std::array<double, kWindow> alone_{};  // seconds of the last steps of streams alone
  size_t alone_count_ = 0;
  int32_t alone_streams_ = 0;  // in the last of them
  int32_t beside_ = 0;         // steps with other rows since
  int32_t last_others_ = 0;    // of the last step that had other rows
  double row_ = 0;             // seconds; 0: not known
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_STEP_COST_H_
