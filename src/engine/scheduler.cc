#include "engine/scheduler.h"

#include <algorithm>

namespace jikji {

StepPlan PlanStep(std::span<const RunningState> running, std::span<const WaitingState> waiting,
                  StepBudget budget, const std::function<int32_t(int32_t limit)>& chunk) {
  const auto decoding = std::count_if(running.begin(), running.end(),
                                      [](const RunningState& s) { return s.prompt_left == 0; });
  int32_t tokens_left = std::max<int32_t>(1, budget.tokens - static_cast<int32_t>(decoding));
  int32_t scored_left = budget.scored_tokens;

  const auto take_prompt = [&](int64_t prompt_left, bool scored) {
    const int32_t most = scored ? std::min(tokens_left, scored_left) : tokens_left;
    auto take = static_cast<int32_t>(std::min<int64_t>(prompt_left, most));
    if (take > 0 && chunk) take = std::clamp(chunk(take), 1, take);
    tokens_left -= take;
    if (scored) scored_left -= take;
    return take;
  };

  StepPlan plan;
  plan.tokens.reserve(running.size());
  for (const RunningState& sequence : running) {
    plan.tokens.push_back(
        sequence.prompt_left == 0 ? 1 : take_prompt(sequence.prompt_left, sequence.scored));
  }
  for (const WaitingState& sequence : waiting) {
    if (tokens_left == 0 || budget.free_slots == 0 || sequence.pages > budget.free_pages) break;
    if (sequence.scored && scored_left == 0) break;
    --budget.free_slots;
    budget.free_pages -= sequence.pages;
    ++plan.admitted;
    plan.tokens.push_back(take_prompt(sequence.prompt, sequence.scored));
  }
  return plan;
}

}  // namespace jikji
