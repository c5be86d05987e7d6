#include "fleet/place.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

namespace jikji::fleet {
namespace {

// More than it needs by less than this is kept: a model drained now may be wanted in an hour.
constexpr double kSlack = 1.1;

bool Runs(const Node& node, int32_t model) {
  return node.model == model &&
         (node.state == NodeState::kServing || node.state == NodeState::kStarting);
}

bool Spare(const Node& node) { return node.model < 0 && node.state == NodeState::kServing; }

// How many nodes of a model stand under each feed, loop and rack.
struct Spread {
  explicit Spread(const Snapshot& site)
      : feeds(site.feeds.size()), loops(site.loops.size()), racks(site.racks.size()) {}

  void Add(const Snapshot& site, int32_t rack, int32_t delta) {
    const Rack& at = site.racks[static_cast<size_t>(rack)];
    feeds[static_cast<size_t>(at.feed)] += delta;
    loops[static_cast<size_t>(at.loop)] += delta;
    racks[static_cast<size_t>(rack)] += delta;
  }
  // The lower, the less a failure takes.
  std::tuple<int32_t, int32_t, int32_t> Crowding(const Snapshot& site, int32_t rack) const {
    const Rack& at = site.racks[static_cast<size_t>(rack)];
    return {feeds[static_cast<size_t>(at.feed)], loops[static_cast<size_t>(at.loop)],
            racks[static_cast<size_t>(rack)]};
  }

  std::vector<int32_t> feeds, loops, racks;
};

int32_t NeededNodes(const Snapshot& site, const ModelDemand& demand) {
  const Model& model = site.models[static_cast<size_t>(demand.model)];
  if (!(model.tokens_per_second > 0)) return demand.spare_nodes;
  double nodes = std::ceil(std::max(0.0, demand.tokens_per_second) / model.tokens_per_second);
  const auto feeds = static_cast<double>(site.feeds.size());
  // Spread evenly, a feed holds 1/feeds of them.
  if (demand.survive_feed_loss && feeds > 1) nodes = std::ceil(nodes * feeds / (feeds - 1));
  return static_cast<int32_t>(nodes) + demand.spare_nodes;
}

class Placer {
 public:
  explicit Placer(const Snapshot& site) : site_(site), nodes_(site.nodes) {}

  // Starts `model` on up to `count` spare nodes; returns how many are lacking.
  int32_t Start(int32_t model, int32_t count) {
    Spread spread = SpreadOf(model);
    const int32_t gpus = site_.models[static_cast<size_t>(model)].gpus_per_node;
    for (; count > 0; --count) {
      std::optional<size_t> best;
      for (size_t i = 0; i < nodes_.size(); ++i) {
        if (!Spare(nodes_[i]) || nodes_[i].gpus < gpus) continue;
        if (!best ||
            spread.Crowding(site_, nodes_[i].rack) < spread.Crowding(site_, nodes_[*best].rack)) {
          best = i;
        }
      }
      if (!best) return count;
      nodes_[*best].model = model;
      nodes_[*best].state = NodeState::kStarting;
      spread.Add(site_, nodes_[*best].rack, 1);
      actions_.push_back({PlaceAction::Kind::kStart, static_cast<int32_t>(*best), model});
    }
    return 0;
  }

  // Drains `count` nodes: from where they crowd, the least busy first.
  void Drain(int32_t model, int32_t count) {
    Spread spread = SpreadOf(model);
    for (; count > 0; --count) {
      std::optional<size_t> best;
      const auto rank = [&](size_t i) {
        const auto [feed, loop, rack] = spread.Crowding(site_, nodes_[i].rack);
        return std::tuple(-feed, -loop, -rack, site_.loads[i].work);
      };
      for (size_t i = 0; i < nodes_.size(); ++i) {
        if (Runs(nodes_[i], model) && (!best || rank(i) < rank(*best))) best = i;
      }
      if (!best) return;
      nodes_[*best].state = NodeState::kDraining;
      spread.Add(site_, nodes_[*best].rack, -1);
      actions_.push_back({PlaceAction::Kind::kDrain, static_cast<int32_t>(*best), model});
    }
  }

  int32_t Running(int32_t model) const {
    return static_cast<int32_t>(
        std::ranges::count_if(nodes_, [model](const Node& node) { return Runs(node, model); }));
  }

  std::vector<PlaceAction> TakeActions() { return std::move(actions_); }

 private:
  Spread SpreadOf(int32_t model) const {
    Spread spread(site_);
    for (const Node& node : nodes_) {
      if (Runs(node, model)) spread.Add(site_, node.rack, 1);
    }
    return spread;
  }

  const Snapshot& site_;
  std::vector<Node> nodes_;
  std::vector<PlaceAction> actions_;
};

bool Hits(const Snapshot& site, const Failure& failure, size_t index) {
  const Node& node = site.nodes[index];
  const Rack& rack = site.racks[static_cast<size_t>(node.rack)];
  switch (failure.kind) {
    case Failure::Kind::kNode:
      return static_cast<int32_t>(index) == failure.index;
    case Failure::Kind::kRack:
      return node.rack == failure.index;
    case Failure::Kind::kFeed:
      return rack.feed == failure.index;
    case Failure::Kind::kLoop:
      return rack.loop == failure.index;
  }
  return false;
}

}  // namespace

Placement Place(const Snapshot& site, std::span<const ModelDemand> demands) {
  Placement placement;
  Placer placer(site);
  std::vector<bool> wanted(site.models.size(), false);
  for (const ModelDemand& demand : demands) {
    wanted[static_cast<size_t>(demand.model)] = true;
    const int32_t needed = NeededNodes(site, demand);
    const int32_t running = placer.Running(demand.model);
    placement.short_by.push_back(needed > running ? placer.Start(demand.model, needed - running)
                                                  : 0);
    const auto keep = static_cast<int32_t>(std::ceil(needed * kSlack));
    if (running > keep) placer.Drain(demand.model, running - needed);
  }
  for (size_t model = 0; model < wanted.size(); ++model) {
    const auto id = static_cast<int32_t>(model);
    if (!wanted[model]) placer.Drain(id, placer.Running(id));
  }
  placement.actions = placer.TakeActions();
  return placement;
}

Recovery Recover(const Snapshot& site, const Failure& failure) {
  Recovery recovery;
  Snapshot after = site;
  std::vector<int32_t> lost_of(site.models.size(), 0);
  for (size_t i = 0; i < site.nodes.size(); ++i) {
    if (!Hits(site, failure, i) || site.nodes[i].state == NodeState::kDown) continue;
    recovery.lost.push_back(static_cast<int32_t>(i));
    if (Runs(site.nodes[i], site.nodes[i].model) && site.nodes[i].model >= 0) {
      ++lost_of[static_cast<size_t>(site.nodes[i].model)];
    }
    after.nodes[i].state = NodeState::kDown;
  }
  Placer placer(after);
  for (size_t model = 0; model < lost_of.size(); ++model) {
    recovery.short_by.push_back(placer.Start(static_cast<int32_t>(model), lost_of[model]));
  }
  recovery.actions = placer.TakeActions();
  return recovery;
}

}  // namespace jikji::fleet
