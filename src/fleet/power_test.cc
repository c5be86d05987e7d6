#include "fleet/power.h"

#include <gtest/gtest.h>

#include "base/test_rounds.h"
#include "fleet/testing.h"

namespace jikji::fleet {
namespace {

// What the controls let the hardware draw, whatever it does: the grant, and the caps on top of
// what else is in the node.
int64_t Worst(const Snapshot& site, const PowerPlan& plan, size_t i) {
  if (!plan.nodes[i].on) return 0;
  return std::max(plan.nodes[i].grant_w,
                  site.nodes[i].other_w + site.nodes[i].gpus * plan.nodes[i].gpu_cap_w);
}

void ExpectWithinLimits(const Snapshot& site, const Envelope& envelope, const PowerPlan& plan) {
  int64_t total = 0;
  std::vector<int64_t> feeds(site.feeds.size()), loops(site.loops.size()), racks(site.racks.size());
  for (size_t i = 0; i < site.nodes.size(); ++i) {
    const int64_t worst = Worst(site, plan, i);
    const Rack& rack = site.racks[static_cast<size_t>(site.nodes[i].rack)];
    total += worst;
    feeds[static_cast<size_t>(rack.feed)] += worst;
    loops[static_cast<size_t>(rack.loop)] += worst;
    racks[static_cast<size_t>(site.nodes[i].rack)] += worst;
  }
  ASSERT_LE(total, std::max<int64_t>(0, envelope.site_w - envelope.reserve_w));
  for (size_t i = 0; i < feeds.size(); ++i) ASSERT_LE(feeds[i], site.feeds[i].limit_w);
  for (size_t i = 0; i < loops.size(); ++i) ASSERT_LE(loops[i], site.loops[i].limit_w);
  for (size_t i = 0; i < racks.size(); ++i) ASSERT_LE(racks[i], site.racks[i].limit_w);
}

TEST(Power, NeverExceedsALimitOfAnySite) {
  std::mt19937_64 random(7);
  for (int round = 0; round < TestRounds(3000); ++round) {
    const Snapshot site = RandomSite(random);
    ASSERT_TRUE(Check(site));
    const std::vector<NodeDemand> demands = RandomDemands(random, site);
    const Envelope envelope{.site_w = Draw(random, 0, 1'000'000),
                            .reserve_w = Draw(random, 0, 50'000),
                            .defer_batch = Draw(random, 0, 1) == 1,
                            .save_energy = Draw(random, 0, 1) == 1};
    const PowerPlan plan = Power(site, demands, envelope);
    ExpectWithinLimits(site, envelope, plan);
    if (HasFatalFailure()) return;
    for (size_t i = 0; i < plan.nodes.size(); ++i) {
      const GpuPower& gpu = site.gpu_powers[static_cast<size_t>(site.nodes[i].power)];
      if (!plan.nodes[i].on) continue;
      ASSERT_NE(site.nodes[i].state, NodeState::kDown);
      ASSERT_GE(plan.nodes[i].gpu_cap_w, gpu.floor_w);
      ASSERT_LE(plan.nodes[i].gpu_cap_w, gpu.limit_w);
    }
  }
}

TEST(Power, IsTheSameForTheSameSnapshot) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 50; ++round) {
    const Snapshot site = RandomSite(random);
    const std::vector<NodeDemand> demands = RandomDemands(random, site);
    const Envelope envelope{.site_w = 500'000};
    const PowerPlan a = Power(site, demands, envelope);
    const PowerPlan b = Power(site, demands, envelope);
    ASSERT_EQ(a.total_w, b.total_w);
    for (size_t i = 0; i < a.nodes.size(); ++i) {
      ASSERT_EQ(a.nodes[i].grant_w, b.nodes[i].grant_w);
      ASSERT_EQ(a.nodes[i].clock_permille, b.nodes[i].clock_permille);
    }
  }
}

NodeDemand Only(ServiceClass service) {
  NodeDemand demand;
  demand.permille[static_cast<size_t>(service)] = 1000;
  return demand;
}

// Node 0 premium, node 1 standard, node 2 batch; each wants 500 + 8 · 690 = 6,020 W.
struct ThreeClasses {
  Snapshot site = SmallSite(3);
  std::vector<NodeDemand> demands = {Only(ServiceClass::kPremium), Only(ServiceClass::kStandard),
                                     Only(ServiceClass::kBatch)};
};

TEST(Power, GivesEverythingWhereThereIsEnough) {
  const ThreeClasses three;
  const PowerPlan plan = Power(three.site, three.demands, {.site_w = 3 * 6020});
  EXPECT_EQ(plan.granted_w, plan.wanted_w);
  EXPECT_EQ(plan.total_w, 3 * 6020);
  EXPECT_EQ(plan.nodes[0].gpu_cap_w, 690);
  EXPECT_EQ(plan.serve_from, ServiceClass::kBatch);
}

TEST(Power, ShedsBatchThenStandardThenPremium) {
  const ThreeClasses three;
  std::array<int64_t, kServiceClasses> last{};
  for (int64_t watts = 0; watts <= 3 * 6020; watts += 10) {
    const PowerPlan plan = Power(three.site, three.demands, {.site_w = watts});
    // More watts never take any from a class, and a class gets its whole range only after those
    // above it have theirs.
    for (size_t service = 0; service + 1 < kServiceClasses; ++service) {
      ASSERT_GE(plan.granted_w[service], last[service]) << watts;
      if (plan.granted_w[service] > 0 && plan.nodes[2 - (service + 1)].on) {
        ASSERT_EQ(plan.granted_w[service + 1], plan.wanted_w[service + 1]) << watts;
      }
    }
    last = plan.granted_w;
  }
}

TEST(Power, RefusesClassesThatGetNothing) {
  const ThreeClasses three;
  EXPECT_EQ(Power(three.site, three.demands, {.site_w = 2 * 6020}).serve_from,
            ServiceClass::kStandard);
  EXPECT_EQ(Power(three.site, three.demands, {.site_w = 6020}).serve_from, ServiceClass::kPremium);
}

// Nodes that are on for premium do a tenth of their full work at the lowest cap: enough for what
// little there is of the classes below, though not a watt was granted to these.
TEST(Power, ServesAClassWithoutWattsOfItsOwnWhereTheLowestCapIsEnough) {
  const Snapshot site = SmallSite(4);
  const GpuPower& gpu = site.gpu_powers[0];
  const int64_t at_floor = 1000 * (gpu.floor_w - gpu.idle_w) / (gpu.prefill_w - gpu.idle_w);
  const auto serve_from = [&](int32_t batch, int32_t standard, int32_t premium) {
    const std::vector demands(4, NodeDemand{.permille = {batch, standard, premium}});
    const PowerPlan plan = Power(site, demands, {.site_w = 4 * (500 + 8 * gpu.floor_w)});
    EXPECT_EQ(plan.granted_w[0], 0);
    EXPECT_EQ(plan.granted_w[1], 0);
    return plan.serve_from;
  };
  const auto share = static_cast<int32_t>(at_floor);
  ASSERT_GT(share, 30);
  EXPECT_EQ(serve_from(20, share - 10, 10), ServiceClass::kStandard);  // all but the batch
  EXPECT_EQ(serve_from(20, 10, 10), ServiceClass::kBatch);
  EXPECT_EQ(serve_from(500, 500, share + 10), ServiceClass::kPremium);
}

TEST(Power, RefusesForWhatIsAskedAndSharesWattsForAllThatMayCome) {
  const Snapshot site = SmallSite(4);
  const GpuPower& gpu = site.gpu_powers[0];
  const auto plan_of = [&](int32_t asked) {
    const std::vector demands(4, NodeDemand{.permille = {200, 300, 500}, .asked_permille = asked});
    return Power(site, demands, {.site_w = 4 * (500 + 8 * (gpu.floor_w + 20))});
  };
  const PowerPlan full = plan_of(1000), fifth = plan_of(200);
  EXPECT_EQ(full.serve_from, ServiceClass::kPremium);
  EXPECT_EQ(fifth.serve_from, ServiceClass::kBatch);
  EXPECT_EQ(full.total_w, fifth.total_w);
  EXPECT_EQ(full.nodes[0].gpu_cap_w, fifth.nodes[0].gpu_cap_w);
}

TEST(Power, TellsThatStandardIsRefusedWhileBatchWaits) {
  const ThreeClasses three;
  const auto serve_from = [&](int64_t watts) {
    return Power(three.site, three.demands, {.site_w = watts, .defer_batch = true}).serve_from;
  };
  EXPECT_EQ(serve_from(2 * 6020), ServiceClass::kBatch);  // nothing is short: batch waits
  EXPECT_EQ(serve_from(6020), ServiceClass::kPremium);
}

TEST(Power, DeferredBatchIsNotGranted) {
  const ThreeClasses three;
  const PowerPlan plan =
      Power(three.site, three.demands, {.site_w = 1'000'000, .defer_batch = true});
  EXPECT_EQ(plan.nodes[2].grant_w, 500 + 8 * 200);  // on at its lowest cap, to be ready
  EXPECT_EQ(plan.nodes[0].grant_w, 6020);
}

TEST(Power, SharesAlikeWithinAClassUnderEachFeed) {
  Snapshot site = SmallSite(16, 2, 1);
  site.feeds[0].limit_w = 8 * 4000;  // the racks 0 and 2: half of what they want
  const std::vector<NodeDemand> demands(16, Only(ServiceClass::kStandard));
  const PowerPlan plan = Power(site, demands, {.site_w = 10'000'000});
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(plan.nodes[i].grant_w, site.nodes[i].rack % 2 == 0 ? 4000 : 6020) << i;
  }
}

TEST(Power, LocksDecodeClocksRatherThanCapThem) {
  const Snapshot site = SmallSite(1);
  NodeDemand decode = Only(ServiceClass::kStandard);
  decode.prefill = false;
  const std::vector demands = {decode};
  const auto clock = [&](int64_t gpu_w) {
    return Power(site, demands, {.site_w = 500 + 8 * gpu_w, .save_energy = false})
        .nodes[0]
        .clock_permille;
  };
  EXPECT_EQ(clock(400), 1000);
  EXPECT_EQ(clock(399), 900);
  EXPECT_EQ(clock(DecodeWatts(site.gpu_powers[0], 700)), 700);
  EXPECT_EQ(clock(200), 500);
  EXPECT_EQ(Power(site, demands, {.site_w = 1'000'000}).nodes[0].clock_permille, 800);
}

TEST(Power, AFailedFeedSwitchesItsNodesOff) {
  Snapshot site = SmallSite(8);
  site.feeds[1].limit_w = 0;
  const std::vector<NodeDemand> demands(8, Only(ServiceClass::kPremium));
  const PowerPlan plan = Power(site, demands, {.site_w = 1'000'000});
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(plan.nodes[i].on, site.nodes[i].rack == 0);
}

}  // namespace
}  // namespace jikji::fleet
