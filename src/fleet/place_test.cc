#include "fleet/place.h"

#include <gtest/gtest.h>

#include <map>

#include "base/test_rounds.h"
#include "fleet/fairness.h"
#include "fleet/testing.h"

namespace jikji::fleet {
namespace {

// 16 spare nodes in four racks on two feeds; two models.
Snapshot SpareSite() {
  Snapshot site = SmallSite(16);
  for (Node& node : site.nodes) node.model = -1;
  site.models.push_back({.name = "b", .gpus_per_node = 8, .tokens_per_second = 500});
  RebuildPools(site);
  return site;
}

void Apply(Snapshot& site, const std::vector<PlaceAction>& actions) {
  for (const PlaceAction& action : actions) {
    Node& node = site.nodes[static_cast<size_t>(action.node)];
    node.model = action.kind == PlaceAction::Kind::kStart ? action.model : -1;
    node.state = NodeState::kServing;
  }
  RebuildPools(site);
}

TEST(Place, SpreadsOverFeedsAndRacks) {
  Snapshot site = SpareSite();
  const std::vector<ModelDemand> demands = {{.model = 0, .tokens_per_second = 4000}};
  const Placement placement = Place(site, demands);
  ASSERT_EQ(placement.actions.size(), 4u);
  std::map<int32_t, int> racks;
  for (const PlaceAction& action : placement.actions) {
    ++racks[site.nodes[static_cast<size_t>(action.node)].rack];
  }
  EXPECT_EQ(racks.size(), 4u) << "one in each rack";
  Apply(site, placement.actions);
  EXPECT_TRUE(Place(site, demands).actions.empty()) << "what is right is left alone";
}

TEST(Place, SurvivesAFeed) {
  Snapshot site = SpareSite();
  const std::vector<ModelDemand> demands = {
      {.model = 0, .tokens_per_second = 3500, .survive_feed_loss = true}};
  Apply(site, Place(site, demands).actions);
  for (int32_t feed = 0; feed < 2; ++feed) {
    int standing = 0;
    for (const Node& node : site.nodes) {
      standing += node.model == 0 && site.racks[static_cast<size_t>(node.rack)].feed != feed;
    }
    EXPECT_GE(standing * 1000, 3500) << "feed " << feed;
  }
}

TEST(Place, TellsWhatIsLackingAndServesTheFirstFirst) {
  const Snapshot site = SpareSite();
  const std::vector<ModelDemand> demands = {{.model = 1, .tokens_per_second = 6000},
                                            {.model = 0, .tokens_per_second = 9000}};
  const Placement placement = Place(site, demands);
  EXPECT_EQ(placement.short_by, (std::vector<int32_t>{0, 5}));
  EXPECT_EQ(placement.actions.size(), 16u);
}

TEST(Place, DrainsWhatIsNotNeeded) {
  Snapshot site = SmallSite(16);
  site.loads[5].work = -1;  // the least busy of all
  const std::vector<ModelDemand> demands = {{.model = 0, .tokens_per_second = 15'000}};
  EXPECT_TRUE(Place(site, demands).actions.empty()) << "within the slack";
  const std::vector<ModelDemand> less = {{.model = 0, .tokens_per_second = 13'500}};
  EXPECT_EQ(Place(site, less).actions.size(), 0u);
  const std::vector<ModelDemand> half = {{.model = 0, .tokens_per_second = 8'000}};
  EXPECT_EQ(Place(site, half).actions.size(), 8u);
  EXPECT_EQ(Place(site, {}).actions.size(), 16u) << "not in demand at all";
}

TEST(Recover, ReplacesWhatAFeedTookOnTheOther) {
  Snapshot site = SpareSite();
  for (const size_t node : {0u, 1u, 4u}) site.nodes[node].model = 0;  // racks 0, 0, 1
  const Recovery recovery = Recover(site, {Failure::Kind::kFeed, 0});
  EXPECT_EQ(recovery.lost, (std::vector<int32_t>{0, 1, 2, 3, 8, 9, 10, 11}));
  ASSERT_EQ(recovery.actions.size(), 2u);
  for (const PlaceAction& action : recovery.actions) {
    EXPECT_EQ(
        site.racks[static_cast<size_t>(site.nodes[static_cast<size_t>(action.node)].rack)].feed, 1);
  }
  EXPECT_EQ(recovery.short_by[0], 0);
}

TEST(Recover, NeverStartsOnWhatIsLostAndIsDeterministic) {
  std::mt19937_64 random(11);
  for (int round = 0; round < TestRounds(1000); ++round) {
    const Snapshot site = RandomSite(random);
    const Failure failure{static_cast<Failure::Kind>(Draw(random, 0, 3)),
                          static_cast<int32_t>(Draw(random, 0, 3))};
    const Recovery recovery = Recover(site, failure);
    for (const PlaceAction& action : recovery.actions) {
      ASSERT_FALSE(std::ranges::binary_search(recovery.lost, action.node));
      const Node& node = site.nodes[static_cast<size_t>(action.node)];
      ASSERT_EQ(node.model, -1);
      ASSERT_GE(node.gpus, site.models[static_cast<size_t>(action.model)].gpus_per_node);
    }
    ASSERT_EQ(Recover(site, failure).actions, recovery.actions);
  }
}

TEST(Fairness, ClassesInOrderThenTheLeastServedForItsWeight) {
  std::vector<Tenant> tenants = {
      {.name = "a", .service = ServiceClass::kStandard, .weight = 1, .served = 100, .queued = 5},
      {.name = "b", .service = ServiceClass::kStandard, .weight = 4, .served = 200, .queued = 5},
      {.name = "c", .service = ServiceClass::kPremium, .served = 9999, .queued = 1},
      {.name = "d", .service = ServiceClass::kBatch, .queued = 5}};
  EXPECT_EQ(NextTenant(tenants, ServiceClass::kBatch), 2);
  tenants[2].queued = 0;
  EXPECT_EQ(NextTenant(tenants, ServiceClass::kBatch), 1);
  EXPECT_EQ(NextTenant(tenants, ServiceClass::kPremium), -1) << "held back";
  EXPECT_EQ(ServedOnReturn(tenants, 2), 9999);
  tenants.push_back({.name = "e", .weight = 2});
  EXPECT_EQ(ServedOnReturn(tenants, 4), 100) << "idling saves nothing up";
}

TEST(Fairness, LongRunSharesFollowWeights) {
  std::vector<Tenant> tenants = {{.name = "a", .weight = 1, .queued = 1},
                                 {.name = "b", .weight = 3, .queued = 1}};
  for (int i = 0; i < 4000; ++i) {
    tenants[static_cast<size_t>(NextTenant(tenants, ServiceClass::kBatch))].served += 10;
  }
  EXPECT_NEAR(static_cast<double>(tenants[1].served) / static_cast<double>(tenants[0].served), 3,
              0.01);
}

TEST(Site, ChecksNameTheField) {
  const auto where = [](void (*spoil)(Snapshot&)) {
    Snapshot site = SmallSite(8);
    spoil(site);
    const Result<> checked = Check(site);
    return checked ? std::string("ok") : checked.error().where;
  };
  EXPECT_EQ(where([](Snapshot&) {}), "ok");
  EXPECT_EQ(where([](Snapshot& s) { s.feeds[1].limit_w = -1; }), "feeds[1].limit_w");
  EXPECT_EQ(where([](Snapshot& s) { s.loops[0].limit_w = -1; }), "loops[0].limit_w");
  EXPECT_EQ(where([](Snapshot& s) { s.racks[1].loop = 2; }), "racks[1].loop");
  EXPECT_EQ(where([](Snapshot& s) { s.nodes[7].rack = 2; }), "nodes[7].rack");
  EXPECT_EQ(where([](Snapshot& s) { s.nodes[7].model = 1; }), "nodes[7].model");
  EXPECT_EQ(where([](Snapshot& s) { s.nodes[7].adapters = {2, 1}; }), "nodes[7].adapters");
  EXPECT_EQ(where([](Snapshot& s) { s.gpu_powers[0].floor_w = 1; }), "gpu_powers[0].floor_w");
  EXPECT_EQ(where([](Snapshot& s) { s.loads.pop_back(); }), "loads");
}

}  // namespace
}  // namespace jikji::fleet
