// Sites for the tests of fleet/: random ones, and small ones by hand.
#ifndef JIKJI_FLEET_TESTING_H_
#define JIKJI_FLEET_TESTING_H_

#include <random>

#include "fleet/power.h"
#include "fleet/site.h"

namespace jikji::fleet {

// `nodes` nodes of 8 GPUs that serve model 0, four to a rack, racks in turn on the feeds and loops.
inline Snapshot SmallSite(int32_t nodes, int32_t feeds = 2, int32_t loops = 2) {
  Snapshot site;
  site.feeds.assign(static_cast<size_t>(feeds), {.limit_w = 1'000'000'000});
  site.loops.assign(static_cast<size_t>(loops), {.limit_w = 1'000'000'000});
  site.gpu_powers = {
      {.idle_w = 100, .floor_w = 200, .decode_w = 400, .prefill_w = 690, .limit_w = 700}};
  site.models = {{.name = "a", .gpus_per_node = 8, .tokens_per_second = 1000}};
  for (int32_t i = 0; i < (nodes + 3) / 4; ++i) {
    site.racks.push_back({.feed = i % feeds, .loop = i % loops, .limit_w = 1'000'000});
  }
  for (int32_t i = 0; i < nodes; ++i) {
    site.nodes.push_back({.rack = i / 4, .gpus = 8, .other_w = 500, .model = 0});
  }
  site.loads.resize(site.nodes.size());
  RebuildPools(site);
  return site;
}

inline int64_t Draw(std::mt19937_64& random, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(random);
}

// Any site that passes Check: limits from none to ample, nodes in every state.
inline Snapshot RandomSite(std::mt19937_64& random) {
  Snapshot site;
  const auto limit = [&](int64_t most) {
    return Draw(random, 0, 5) == 0 ? 0 : Draw(random, 0, most);
  };
  for (int64_t i = Draw(random, 1, 5); i > 0; --i) site.feeds.push_back({limit(400'000)});
  for (int64_t i = Draw(random, 1, 4); i > 0; --i) site.loops.push_back({limit(400'000)});
  for (int64_t i = Draw(random, 1, 20); i > 0; --i) {
    site.racks.push_back(
        {.feed = static_cast<int32_t>(Draw(random, 0, static_cast<int64_t>(site.feeds.size()) - 1)),
         .loop = static_cast<int32_t>(Draw(random, 0, static_cast<int64_t>(site.loops.size()) - 1)),
         .limit_w = limit(60'000)});
  }
  for (int64_t i = Draw(random, 1, 3); i > 0; --i) {
    GpuPower power;
    power.idle_w = Draw(random, 0, 200);
    power.floor_w = power.idle_w + Draw(random, 0, 300);
    power.limit_w = power.floor_w + Draw(random, 0, 1000);
    power.decode_w = power.idle_w + Draw(random, 0, 500);
    power.prefill_w = power.idle_w + Draw(random, 0, 1500);
    site.gpu_powers.push_back(power);
  }
  for (int64_t i = Draw(random, 1, 3); i > 0; --i) {
    site.models.push_back({.name = "m",
                           .gpus_per_node = static_cast<int32_t>(Draw(random, 1, 8)),
                           .tokens_per_second = static_cast<double>(Draw(random, 0, 5000))});
  }
  for (int64_t i = Draw(random, 1, 60); i > 0; --i) {
    Node node;
    node.rack = static_cast<int32_t>(Draw(random, 0, static_cast<int64_t>(site.racks.size()) - 1));
    node.gpus = static_cast<int32_t>(Draw(random, 0, 72));
    node.power =
        static_cast<int32_t>(Draw(random, 0, static_cast<int64_t>(site.gpu_powers.size()) - 1));
    node.other_w = Draw(random, 0, 5000);
    node.model =
        static_cast<int32_t>(Draw(random, -1, static_cast<int64_t>(site.models.size()) - 1));
    node.state = static_cast<NodeState>(Draw(random, 0, 3));
    site.nodes.push_back(node);
    site.loads.push_back({.work = Draw(random, 0, 100'000)});
  }
  RebuildPools(site);
  return site;
}

inline std::vector<NodeDemand> RandomDemands(std::mt19937_64& random, const Snapshot& site) {
  std::vector<NodeDemand> demands(site.nodes.size());
  for (NodeDemand& demand : demands) {
    for (int32_t& permille : demand.permille) {
      permille = static_cast<int32_t>(Draw(random, 0, 400));
    }
    demand.prefill = Draw(random, 0, 1) == 1;
  }
  return demands;
}

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_TESTING_H_
