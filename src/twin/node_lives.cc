#include "twin/node_lives.h"

#include <algorithm>

namespace jikji::twin {
namespace {

constexpr double kSecondsOfYear = 365.0 * 86400;

}  // namespace

NodeLives::NodeLives(SiteState& state, RequestFlow& flow, Incidents& incidents)
    : state_(state),
      flow_(flow),
      incidents_(incidents),
      random_(state.options.seed),
      wanted_nodes_(static_cast<int32_t>(state.site.pools[0].nodes.size())) {
  for (size_t i = 0; i < state.site.nodes.size(); ++i) {
    ScheduleFailure(static_cast<int32_t>(i), 0);
  }
}

void NodeLives::ScheduleFailure(int32_t node, double now) {
  const double rate =
      state_.model.failures_per_gpu_year * state_.NodeAt(node).gpus / kSecondsOfYear;
  const double wait = rate > 0 ? random_.Exponential(1 / rate) : EventHeap::kNever;
  if (now + wait < state_.options.seconds) {
    incidents_.Add(now + wait, Incident::Kind::kFail, node);
  }
}

void NodeLives::Fail(int32_t node, double now) {
  ++state_.report.node_failures;
  Lose({fleet::Failure::Kind::kNode, node}, now);
  incidents_.Add(now + state_.model.repair_hours * 3600, Incident::Kind::kRepair, node);
}

void NodeLives::Lose(const fleet::Failure& failure, double now) {
  const fleet::Recovery recovery = fleet::Recover(state_.site, failure);
  for (const int32_t node : recovery.lost) {
    ++state_.report.nodes_lost;
    incidents_.Renew(node);
    state_.NodeAt(node).state = fleet::NodeState::kDown;
    state_.NodeAt(node).model = -1;
  }
  for (const fleet::PlaceAction& action : recovery.actions) Start(action.node, now);
  RebuildPools(state_.site);
  for (const int32_t node : recovery.lost) flow_.Empty(node, now);
}

void NodeLives::Start(int32_t node, double now) {
  state_.NodeAt(node).model = 0;
  state_.NodeAt(node).state = fleet::NodeState::kStarting;
  incidents_.Add(now + static_cast<double>(state_.model.load_seconds), Incident::Kind::kLoaded,
                 node);
}

void NodeLives::Loaded(int32_t node) {
  state_.NodeAt(node).state = fleet::NodeState::kServing;
  RebuildPools(state_.site);
}

void NodeLives::Return(int32_t node, double now) {
  incidents_.Renew(node);
  state_.NodeAt(node).state = fleet::NodeState::kServing;
  const auto running = std::ranges::count_if(state_.site.nodes, [](const fleet::Node& other) {
    return other.model == 0 && other.state != fleet::NodeState::kDown;
  });
  if (running < wanted_nodes_) Start(node, now);
  ScheduleFailure(node, now);
}

void NodeLives::SwitchOff(int32_t node) {
  incidents_.Renew(node);
  state_.NodeAt(node).state = fleet::NodeState::kDraining;
}

void NodeLives::SwitchOn(int32_t node, double now) {
  Start(node, now);
  ScheduleFailure(node, now);
}

}  // namespace jikji::twin
