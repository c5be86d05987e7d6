#include "fleet/power.h"

#include <algorithm>
#include <cmath>

namespace jikji::fleet {
namespace {

// The steps of clock lock. Below half, decode slows as much as it saves.
constexpr std::array kClocks = {1000, 900, 800, 700, 600, 500};
// Where watts are free: saves about a fifth of decode's power, and costs a few per cent of its
// speed (arXiv 2501.08219 reports 1 to 6 % of latency).
constexpr int32_t kSavingClock = 800;

// What is left to grant at every limit above a node. Taking can never make one negative, so the
// limits hold whatever the arithmetic of shares does.
class Headroom {
 public:
  Headroom(const Snapshot& site, const Envelope& envelope)
      : site_(site), total_(std::max<int64_t>(0, envelope.site_w - envelope.reserve_w)) {
    for (const Feed& feed : site.feeds) feeds_.push_back(feed.limit_w);
    for (const CoolingLoop& loop : site.loops) loops_.push_back(loop.limit_w);
    for (const Rack& rack : site.racks) racks_.push_back(rack.limit_w);
  }

  int64_t Left(int32_t rack) const {
    const Rack& at = RackAt(rack);
    return std::min({total_, feeds_[static_cast<size_t>(at.feed)],
                     loops_[static_cast<size_t>(at.loop)], racks_[static_cast<size_t>(rack)]});
  }
  // Takes at most `watts`; returns what it took.
  int64_t Take(int32_t rack, int64_t watts) {
    const Rack& at = RackAt(rack);
    const int64_t taken = std::min(watts, Left(rack));
    total_ -= taken;
    feeds_[static_cast<size_t>(at.feed)] -= taken;
    loops_[static_cast<size_t>(at.loop)] -= taken;
    racks_[static_cast<size_t>(rack)] -= taken;
    return taken;
  }

  int64_t total() const { return total_; }
  const std::vector<int64_t>& feeds() const { return feeds_; }
  const std::vector<int64_t>& loops() const { return loops_; }
  const std::vector<int64_t>& racks() const { return racks_; }
  const Rack& RackAt(int32_t rack) const { return site_.racks[static_cast<size_t>(rack)]; }

 private:
  const Snapshot& site_;
  int64_t total_;
  std::vector<int64_t> feeds_, loops_, racks_;
};

// The share of `wants` that a limit can give, at most 1.
double ShareOf(int64_t left, int64_t wants) {
  return wants <= left ? 1.0 : static_cast<double>(left) / static_cast<double>(wants);
}

// Wishes of one class, filled together: in each round all get the same share more, until a limit
// is reached; those under it stop there and the others go on.
class Filling {
 public:
  Filling(const Snapshot& site, Headroom& headroom, std::vector<int64_t> wants)
      : site_(site), headroom_(headroom), wants_(std::move(wants)), granted_(wants_.size(), 0) {}

  std::vector<int64_t> Run() {
    FitRacks();
    // Each round ends at least one feed, loop or the site.
    for (size_t round = 0; round <= site_.feeds.size() + site_.loops.size(); ++round) {
      if (!Round()) break;
    }
    return std::move(granted_);
  }

 private:
  int32_t RackOf(size_t node) const { return site_.nodes[node].rack; }

  // Scales the wishes of a rack down to what it can give, so that rounds need not look at racks.
  void FitRacks() {
    std::vector<int64_t> sums(site_.racks.size(), 0);
    for (size_t i = 0; i < wants_.size(); ++i) sums[static_cast<size_t>(RackOf(i))] += wants_[i];
    for (size_t i = 0; i < wants_.size(); ++i) {
      const auto rack = static_cast<size_t>(RackOf(i));
      wants_[i] = Scaled(wants_[i], ShareOf(headroom_.racks()[rack], sums[rack]));
    }
  }

  bool Round() {
    int64_t total = 0;
    std::vector<int64_t> feeds(site_.feeds.size(), 0), loops(site_.loops.size(), 0);
    for (size_t i = 0; i < wants_.size(); ++i) {
      const Rack& rack = headroom_.RackAt(RackOf(i));
      total += wants_[i];
      feeds[static_cast<size_t>(rack.feed)] += wants_[i];
      loops[static_cast<size_t>(rack.loop)] += wants_[i];
    }
    if (total == 0) return false;
    double share = ShareOf(headroom_.total(), total);
    const auto narrow = [&share](const std::vector<int64_t>& left,
                                 const std::vector<int64_t>& sum) {
      for (size_t i = 0; i < left.size(); ++i) share = std::min(share, ShareOf(left[i], sum[i]));
    };
    narrow(headroom_.feeds(), feeds);
    narrow(headroom_.loops(), loops);
    const bool site_ends = ShareOf(headroom_.total(), total) <= share;
    std::vector<bool> feed_ends(feeds.size()), loop_ends(loops.size());
    for (size_t i = 0; i < feeds.size(); ++i) {
      feed_ends[i] = ShareOf(headroom_.feeds()[i], feeds[i]) <= share;
    }
    for (size_t i = 0; i < loops.size(); ++i) {
      loop_ends[i] = ShareOf(headroom_.loops()[i], loops[i]) <= share;
    }
    for (size_t i = 0; i < wants_.size(); ++i) {
      const Rack& rack = headroom_.RackAt(RackOf(i));
      const int64_t taken = headroom_.Take(RackOf(i), Scaled(wants_[i], share));
      granted_[i] += taken;
      const bool ends = share >= 1 || site_ends || feed_ends[static_cast<size_t>(rack.feed)] ||
                        loop_ends[static_cast<size_t>(rack.loop)];
      wants_[i] = ends ? 0 : wants_[i] - taken;
    }
    return true;
  }

  static int64_t Scaled(int64_t watts, double share) {
    return share >= 1 ? watts
                      : static_cast<int64_t>(std::floor(static_cast<double>(watts) * share));
  }

  const Snapshot& site_;
  Headroom& headroom_;
  std::vector<int64_t> wants_;
  std::vector<int64_t> granted_;
};

// What a GPU draws where it works all the time and nothing caps it.
int64_t PeakWatts(const GpuPower& power, const NodeDemand& demand, const Envelope& envelope) {
  const int64_t decode = DecodeWatts(power, envelope.save_energy ? kSavingClock : kClocks.front());
  return std::min(power.limit_w, demand.prefill ? std::max(decode, power.prefill_w) : decode);
}

// A node's demand in watts: what it needs to be on at all, and what more it wants.
struct Wish {
  size_t base_class = 0;  // the highest class with demand: it pays for the base
  int64_t base = 0;
  std::array<int64_t, kServiceClasses> more{};
};

Wish WishOf(const Snapshot& site, const Node& node, const NodeDemand& demand,
            const Envelope& envelope) {
  const GpuPower& power = site.gpu_powers[static_cast<size_t>(node.power)];
  Wish wish;
  wish.base = node.other_w + node.gpus * power.floor_w;
  const int64_t peak = PeakWatts(power, demand, envelope);
  const int64_t range = node.gpus * std::max<int64_t>(0, peak - power.floor_w);
  for (size_t service = 0; service < kServiceClasses; ++service) {
    if (service == 0 && envelope.defer_batch) continue;
    const int32_t permille = std::clamp(demand.permille[service], 0, 1000);
    if (permille > 0) wish.base_class = service;
    wish.more[service] = range * permille / 1000;
  }
  return wish;
}

NodePower Controls(const GpuPower& power, const Node& node, int64_t grant, bool save_energy) {
  NodePower set;
  set.on = true;
  set.grant_w = grant;
  const int64_t gpus = std::max<int64_t>(1, node.gpus);
  set.gpu_cap_w = std::clamp((grant - node.other_w) / gpus, power.floor_w, power.limit_w);
  set.clock_permille = kClocks.back();
  for (const int32_t clock : kClocks) {
    if (save_energy && clock > kSavingClock) continue;
    if (DecodeWatts(power, clock) > set.gpu_cap_w) continue;
    set.clock_permille = clock;
    break;
  }
  return set;
}

// What is asked of nodes and what they can do under their caps, in thousandths of a GPU's full
// rate. Work is watts above idle: a capped GPU does more than that share, so this is on the safe
// side. The lowest cap is work too, and a node that is on has it whichever class has paid for it.
class Capacity {
 public:
  void Add(const GpuPower& power, const Node& node, const NodeDemand& demand,
           const Envelope& envelope, const NodePower& set) {
    int64_t wanted = 0;
    for (size_t service = 0; service < kServiceClasses; ++service) {
      if (service == 0 && envelope.defer_batch) continue;
      const int64_t each = int64_t{node.gpus} * std::clamp(demand.permille[service], 0, 1000) *
                           std::clamp(demand.asked_permille, 0, 1000) / 1000;
      wanted_[service] += each;
      wanted += each;
    }
    if (!set.on || wanted == 0) return;
    const int64_t range = PeakWatts(power, demand, envelope) - power.idle_w;
    const int64_t above_idle = set.gpu_cap_w - power.idle_w;
    done_ += node.gpus *
             (range > 0 ? std::clamp<int64_t>(above_idle * 1000 / range, 0, 1000) : int64_t{1000});
  }

  // The lowest class of whose demand a tenth can be served. One without demand is not refused for
  // itself: batch that waits for a call to end is not turned away by it.
  ServiceClass ServeFrom() const {
    int64_t above = 0;
    for (const int64_t wanted : wanted_) above += wanted;
    auto from = ServiceClass::kBatch;
    for (size_t service = 0; service < kServiceClasses - 1; ++service) {
      above -= wanted_[service];
      if (wanted_[service] == 0) continue;
      if (done_ * 10 >= above * 10 + wanted_[service]) break;
      from = static_cast<ServiceClass>(service + 1);
    }
    return from;
  }

 private:
  std::array<int64_t, kServiceClasses> wanted_{};
  int64_t done_ = 0;
};

}  // namespace

int64_t DecodeWatts(const GpuPower& power, int32_t permille) {
  const double clock = permille / 1000.0;
  const auto dynamic = static_cast<double>(power.decode_w - power.idle_w);
  return power.idle_w + static_cast<int64_t>(std::ceil(dynamic * clock * clock));
}

PowerPlan Power(const Snapshot& site, std::span<const NodeDemand> demands,
                const Envelope& envelope) {
  PowerPlan plan;
  const size_t count = site.nodes.size();
  plan.nodes.resize(count);
  Headroom headroom(site, envelope);
  std::vector<Wish> wishes(count);
  for (size_t i = 0; i < count; ++i) {
    if (site.nodes[i].state == NodeState::kDown) continue;
    wishes[i] = WishOf(site, site.nodes[i], demands[i], envelope);
  }
  for (size_t service = kServiceClasses; service-- > 0;) {
    for (size_t i = 0; i < count; ++i) {
      const Wish& wish = wishes[i];
      if (wish.base == 0 || wish.base_class != service) continue;
      plan.wanted_w[service] += wish.base;
      if (headroom.Left(site.nodes[i].rack) < wish.base) continue;
      plan.nodes[i].on = true;
      plan.nodes[i].grant_w = headroom.Take(site.nodes[i].rack, wish.base);
      plan.granted_w[service] += wish.base;
    }
    std::vector<int64_t> wants(count, 0);
    for (size_t i = 0; i < count; ++i) {
      plan.wanted_w[service] += wishes[i].more[service];
      if (plan.nodes[i].on) wants[i] = wishes[i].more[service];
    }
    const std::vector<int64_t> granted = Filling(site, headroom, std::move(wants)).Run();
    for (size_t i = 0; i < count; ++i) {
      plan.nodes[i].grant_w += granted[i];
      plan.granted_w[service] += granted[i];
    }
  }
  Capacity capacity;
  for (size_t i = 0; i < count; ++i) {
    const Node& node = site.nodes[i];
    const GpuPower& power = site.gpu_powers[static_cast<size_t>(node.power)];
    if (plan.nodes[i].on) {
      plan.nodes[i] = Controls(power, node, plan.nodes[i].grant_w, envelope.save_energy);
      plan.total_w += plan.nodes[i].grant_w;
    }
    if (node.state != NodeState::kDown) {
      capacity.Add(power, node, demands[i], envelope, plan.nodes[i]);
    }
  }
  plan.serve_from = capacity.ServeFrom();
  return plan;
}

}  // namespace jikji::fleet
