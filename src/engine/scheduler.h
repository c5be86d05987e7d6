// What the next step runs: a pure function of the sequences' states and the budget.
//
// There are no phases: a step is {sequence: tokens}. Every decoding sequence advances by its one
// token; what is left of the budget goes to prompts, first come first served, in chunks; then
// waiting sequences are admitted in their order while pages and slots last. The first that does not
// fit holds back those behind it, so that small requests never starve a large one.
#ifndef JIKJI_ENGINE_SCHEDULER_H_
#define JIKJI_ENGINE_SCHEDULER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace jikji {

struct StepBudget {
  // Tokens of the step. Where decoding alone takes them all, prompts still get one.
  int32_t tokens = 0;
  // Prompt tokens whose logits are wanted, at least 1: each takes a row as wide as the vocabulary.
  int32_t scored_tokens = 0;
  int32_t free_pages = 0;
  int32_t free_slots = 0;
};

struct RunningState {
  int64_t prompt_left = 0;  // tokens; 0: decoding
  bool scored = false;      // wants logits of its prompt
};

struct WaitingState {
  int64_t prompt = 0;  // tokens, at least 1
  int32_t pages = 0;
  bool scored = false;
};

struct StepPlan {
  int32_t admitted = 0;         // so many from the head of the waiting
  std::vector<int32_t> tokens;  // of each running sequence, then of each admitted; 0: none now
};

// `running` in order of admission, `waiting` in order of their turn. `chunk`, if given, replaces a
// chunk of a prompt by a smaller one, at least 1.
StepPlan PlanStep(std::span<const RunningState> running, std::span<const WaitingState> waiting,
                  StepBudget budget, const std::function<int32_t(int32_t limit)>& chunk = {});

}  // namespace jikji

#endif  // JIKJI_ENGINE_SCHEDULER_H_
