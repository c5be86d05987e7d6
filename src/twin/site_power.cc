#include "twin/site_power.h"

#include <algorithm>

namespace jikji::twin {

SitePower::SitePower(SiteState& state, RequestFlow& flow, NodeLives& lives)
    : state_(state),
      flow_(flow),
      lives_(lives),
      busy_(state.site.nodes.size()),
      active_sum_(state.site.nodes.size(), 0) {}

void SitePower::Meter(double now) {
  const double step_s = now - metered_at_;
  if (step_s <= 0) return;
  for (size_t i = 0; i < busy_.size(); ++i) {
    busy_[i] = state_.replicas.TakeBusy(static_cast<uint32_t>(i), now);
    state_.sampler.Output(busy_[i].output_tokens);
    const fleet::NodeLoad& load = state_.site.loads[i];
    active_sum_[i] += (load.running + load.waiting) * step_s;
  }
  state_.power.Meter(state_.site, step_s, busy_, state_.report);
  metered_at_ = now;
}

void SitePower::Decide(double now) {
  const fleet::PowerPlan& plan = state_.power.Decide(state_.site, now, now - decided_at_,
                                                     PowerControl::EventsAt(state_.model, now),
                                                     Mix(), Load(now - decided_at_));
  decided_at_ = now;
  state_.serve_from = plan.serve_from;
  bool changed = false;
  std::vector<int32_t> off;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    changed |= Apply(static_cast<int32_t>(i), plan.nodes[i], now, off);
  }
  if (changed) RebuildPools(state_.site);
  for (const int32_t node : off) flow_.Empty(node, now);
}

// True where a node began or ceased to serve.
bool SitePower::Apply(int32_t index, const fleet::NodePower& set, double now,
                      std::vector<int32_t>& off) {
  const fleet::Node& node = state_.NodeAt(index);
  if (node.model < 0 || node.state == fleet::NodeState::kDown) return false;
  if (!set.on) {
    if (node.state == fleet::NodeState::kDraining) return false;
    lives_.SwitchOff(index);
    off.push_back(index);
    return true;
  }
  if (node.state == fleet::NodeState::kDraining) {
    lives_.SwitchOn(index, now);  // watts are back, and the model must be loaded again
    return true;
  }
  const Speed speed = SpeedUnder(state_.model.gpu, set);
  state_.replicas.SetSpeed(static_cast<uint32_t>(index), now, speed.decode, speed.prefill);
  state_.Reschedule(index);
  return false;
}

// How requests part into classes; even where none has come.
ClassMix SitePower::Mix() const {
  ClassMix mix{};
  double total = 0;
  for (size_t i = 0; i < mix.size(); ++i) {
    mix[i] = static_cast<double>(state_.report.classes[i].offered);
    total += mix[i];
  }
  for (double& share : mix) share = total > 0 ? share / total : 1.0 / fleet::kServiceClasses;
  return mix;
}

double SitePower::Load(double step_s) {
  // What comes may be half as much again before the next minutes are over.
  constexpr double kMargin = 1.5;
  constexpr double kSmoothS = 60;
  int64_t offered = 0, finished = 0;
  for (const ClassReport& each : state_.report.classes) {
    offered += each.offered;
    finished += each.finished;
  }
  if (step_s > 0) {
    const double rate = static_cast<double>(offered - offered_) / step_s;
    asked_s_ =
        asked_s_ < 0 ? rate : asked_s_ + (rate - asked_s_) * std::min(1.0, step_s / kSmoothS);
    offered_ = offered;
  }
  const size_t nodes = state_.site.pools[0].nodes.size();
  if (nodes == 0) return 1;
  if (finished == 0) return 0;  // nobody is refused before it is known what requests cost
  const StepModel& step = state_.model.engine.step;
  const auto routed = static_cast<double>(flow_.routed());
  const double prompt = state_.report.prompt_tokens / routed;
  const double uncached = prompt - state_.report.cached_tokens / routed;
  const double output = state_.report.output_tokens / static_cast<double>(finished);
  const double each = step.PromptSeconds(uncached, prompt) +
                      output * (step.sequence_s + step.context_s * (prompt + output / 2));
  return kMargin * asked_s_ * each / static_cast<double>(nodes);
}

double SitePower::BusiestOverMean() const {
  double most = 0, sum = 0;
  int32_t count = 0;
  for (const double active : active_sum_) {
    if (active <= 0) continue;
    most = std::max(most, active);
    sum += active;
    ++count;
  }
  return sum > 0 ? most * count / sum : 0;
}

}  // namespace jikji::twin
