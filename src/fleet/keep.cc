#include "fleet/keep.h"

#include <algorithm>

namespace jikji::fleet {

KeepPlan Keep(std::span<const LaunchedNode> nodes, int32_t wanted) {
  using State = LaunchedNode::State;
  KeepPlan plan;
  std::vector<size_t> running, pending;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].leaves) continue;
    if (nodes[i].state == State::kRunning) running.push_back(i);
    if (nodes[i].state == State::kPending) pending.push_back(i);
  }
  const auto target = static_cast<size_t>(std::max(0, wanted));
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].leaves) continue;
    const bool replaced = running.size() >= target;
    if (nodes[i].state == State::kPending || (nodes[i].state == State::kRunning && replaced)) {
      plan.end.push_back(i);
    }
  }
  while (running.size() + pending.size() > target) {
    std::vector<size_t>& from = pending.empty() ? running : pending;
    plan.end.push_back(from.back());
    from.pop_back();
  }
  plan.start = static_cast<int32_t>(target - running.size() - pending.size());
  std::ranges::sort(plan.end);
  return plan;
}

}  // namespace jikji::fleet
