#include "fleet/route.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "base/test_rounds.h"
#include "fleet/prefix.h"
#include "fleet/testing.h"

namespace jikji::fleet {
namespace {

constexpr std::array kAllPolicies = {RoutePolicy::kBounded,       RoutePolicy::kRoundRobin,
                                     RoutePolicy::kLeastRequests, RoutePolicy::kPrefixAffinity,
                                     RoutePolicy::kLlmD,          RoutePolicy::kDynamo};

std::vector<uint64_t> Prefix(uint64_t seed, size_t blocks) {
  std::vector<uint64_t> prefix;
  uint64_t before = 0;
  for (size_t i = 0; i < blocks; ++i) prefix.push_back(before = Chain(before, seed));
  return prefix;
}

RouteRequest Ask(uint64_t id, std::span<const uint64_t> prefix) {
  RouteRequest request;
  request.id = id;
  request.prompt_tokens = static_cast<int64_t>(prefix.size()) * 512;
  request.decode_work = 300;
  request.prefix = prefix;
  return request;
}

// Sends a request and lets the snapshot know; nothing ever finishes.
int32_t Send(Snapshot& site, CacheIndex& index, const RouteRequest& request,
             const RouteOptions& options) {
  const RouteChoice choice = Route(site, index, request, options);
  if (choice.node < 0) return -1;
  NodeLoad& load = site.loads[static_cast<size_t>(choice.node)];
  AddWork(site, choice.node, request.prompt_tokens - choice.cached_tokens + request.decode_work);
  load.prefill += request.prompt_tokens - choice.cached_tokens;
  load.kv_tokens += request.prompt_tokens;
  ++load.running;
  index.Add(request.prefix, choice.node);
  return choice.node;
}

// The most work at a node over the mean, allowing for the two requests by which it may pass it.
void ExpectNoHotspot(const Snapshot& site, const RouteOptions& options, int64_t request_work) {
  const double mean =
      static_cast<double>(site.pools[0].work) / static_cast<double>(site.nodes.size());
  for (const NodeLoad& load : site.loads) {
    ASSERT_LE(static_cast<double>(load.work),
              options.bound * mean + 2 * static_cast<double>(request_work))
        << site.nodes.size();
  }
}

TEST(Route, OnePopularPromptMakesNoHotspot) {
  for (const int32_t nodes : {2, 7, 16, 100, 1000}) {
    Snapshot site = SmallSite(nodes);
    CacheIndex index(1 << 16);
    const std::vector<uint64_t> prefix = Prefix(1, 8);
    const RouteOptions options;
    for (int i = 0; i < nodes * 40; ++i) {
      ASSERT_GE(Send(site, index, Ask(static_cast<uint64_t>(i), prefix), options), 0);
      ExpectNoHotspot(site, options, 8 * 512 + 300);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Route, SequencesSpreadOnceTheirPromptsAreComputed) {
  for (const int32_t nodes : {2, 7, 16, 100, 1000}) {
    Snapshot site = SmallSite(nodes);
    CacheIndex index(1 << 16);
    const std::vector<uint64_t> prefix = Prefix(1, 8);
    for (int i = 0; i < nodes * 40; ++i) {
      const int32_t node = Send(site, index, Ask(static_cast<uint64_t>(i), prefix), {});
      ASSERT_GE(node, 0);
      AddWork(site, node,
              300 * site.loads[static_cast<size_t>(node)].running -
                  site.loads[static_cast<size_t>(node)].work);
    }
    for (const NodeLoad& load : site.loads) EXPECT_LE(load.running, 40 * 1.3) << nodes;
  }
}

TEST(Route, PureAffinityDoesMakeOne) {
  Snapshot site = SmallSite(10);
  CacheIndex index(1 << 12);
  const std::vector<uint64_t> prefix = Prefix(1, 8);
  for (uint64_t i = 0; i < 100; ++i) {
    Send(site, index, Ask(i, prefix), {.policy = RoutePolicy::kPrefixAffinity});
  }
  int32_t most = 0;
  for (const NodeLoad& load : site.loads) most = std::max(most, load.running);
  EXPECT_EQ(most, 100);
}

TEST(Route, FollowsTheCacheWhereLoadAllows) {
  for (const RoutePolicy policy : {RoutePolicy::kBounded, RoutePolicy::kPrefixAffinity,
                                   RoutePolicy::kLlmD, RoutePolicy::kDynamo}) {
    const Snapshot site = SmallSite(64);
    CacheIndex index(1 << 12);
    const std::vector<uint64_t> prefix = Prefix(3, 20);
    index.Add(prefix, 41);
    index.Add(std::span(prefix).first(5), 12);
    const RouteChoice choice = Route(site, index, Ask(9, prefix), {.policy = policy});
    EXPECT_EQ(choice.node, 41) << RoutePolicyName(policy);
    EXPECT_EQ(choice.cached_tokens, 20 * 512);
  }
}

// Node 41 holds so many of the 20 blocks of a prompt, and every other is idle; node 41 computes
// prompts of 16 blocks for others already, within the bound.
int32_t ChosenBeside(size_t held_blocks) {
  Snapshot site = SmallSite(64);
  for (size_t i = 0; i < site.loads.size(); ++i) {
    const int64_t waits = i == 41 ? 16 * 512 : 0;
    site.loads[i].prefill = waits;
    // What decodes is the same everywhere, and keeps node 41 under the bound.
    AddWork(site, static_cast<int32_t>(i), waits + 40 * 512);
  }
  CacheIndex index(1 << 12);
  const std::vector<uint64_t> prefix = Prefix(3, 20);
  index.Add(std::span(prefix).first(held_blocks), 41);
  return Route(site, index, Ask(9, prefix), {}).node;
}

TEST(Route, AConversationStaysWhereItIsThoughOthersAreIdle) { EXPECT_EQ(ChosenBeside(15), 41); }

TEST(Route, ABeginningThatIsAFewBlocksDrawsNobodyToABusyNode) { EXPECT_NE(ChosenBeside(2), 41); }

TEST(Route, EqualsTakeTurns) {
  for (const RoutePolicy policy : {RoutePolicy::kBounded, RoutePolicy::kLeastRequests,
                                   RoutePolicy::kLlmD, RoutePolicy::kDynamo}) {
    // Every request has ended before the next one comes, and none shares its prompt.
    const Snapshot site = SmallSite(8);
    CacheIndex index(1 << 12);
    std::array<int, 8> got{};
    for (uint64_t i = 0; i < 80; ++i) {
      const std::vector<uint64_t> prefix = Prefix(i + 1, 4);
      const RouteChoice choice = Route(site, index, Ask(i, prefix), {.policy = policy});
      ++got[static_cast<size_t>(choice.node)];
      index.Add(prefix, choice.node);
    }
    for (const int count : got) EXPECT_EQ(count, 10) << RoutePolicyName(policy);
  }
}

TEST(Route, RoundRobinAndLeastRequests) {
  Snapshot site = SmallSite(5);
  const CacheIndex index(64);
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(Route(site, index, Ask(i, {}), {.policy = RoutePolicy::kRoundRobin}).node,
              static_cast<int32_t>(i % 5));
  }
  for (NodeLoad& load : site.loads) load.running = 2;
  site.loads[3].running = 1;
  EXPECT_EQ(Route(site, index, Ask(0, {}), {.policy = RoutePolicy::kLeastRequests}).node, 3);
}

TEST(Route, NeverPicksANodeThatMayNotHaveIt) {
  std::mt19937_64 random(5);
  for (int round = 0; round < TestRounds(2000); ++round) {
    Snapshot site = RandomSite(random);
    CacheIndex index(256);
    for (Node& node : site.nodes) node.grade = static_cast<DataGrade>(Draw(random, 0, 2));
    const std::vector<uint64_t> prefix = Prefix(static_cast<uint64_t>(Draw(random, 0, 3)), 6);
    for (int i = 0; i < 5; ++i) {
      index.Add(prefix,
                static_cast<int32_t>(Draw(random, 0, static_cast<int64_t>(site.nodes.size()) - 1)));
    }
    RouteRequest request = Ask(random(), prefix);
    request.model = static_cast<int32_t>(Draw(random, 0, 3));
    request.grade = static_cast<DataGrade>(Draw(random, 0, 2));
    const std::vector<int32_t> excluded = {0, static_cast<int32_t>(Draw(random, 0, 59))};
    request.excluded = excluded;
    const bool possible = [&] {
      for (size_t i = 0; i < site.nodes.size(); ++i) {
        if (MayServe(site, static_cast<int32_t>(i), request)) return true;
      }
      return false;
    }();
    for (const RoutePolicy policy : kAllPolicies) {
      const RouteOptions options{.policy = policy};
      const RouteChoice choice = Route(site, index, request, options);
      ASSERT_EQ(choice.node >= 0, possible) << RoutePolicyName(policy);
      ASSERT_TRUE(!possible || MayServe(site, choice.node, request));
      ASSERT_EQ(Route(site, index, request, options).node, choice.node) << "not deterministic";
    }
  }
}

TEST(Route, PrefersALoadedAdapterAndRoomInTheCache) {
  Snapshot site = SmallSite(4);
  site.models[0].adapter_load_tokens = 5000;
  site.nodes[2].adapters = {7, 9};
  const CacheIndex index(64);
  const std::vector<uint64_t> prefix = Prefix(1, 2);
  RouteRequest request = Ask(1, prefix);
  request.adapter = 9;
  EXPECT_EQ(Route(site, index, request, {}).node, 2);
  request.adapter = -1;
  for (NodeLoad& load : site.loads) load = {.kv_tokens = 9000, .kv_capacity = 9000};
  site.loads[3].kv_tokens = 0;
  EXPECT_EQ(Route(site, index, request, {}).node, 3);
}

TEST(Route, NamesOfPolicies) {
  for (const RoutePolicy policy : kAllPolicies) {
    EXPECT_EQ(*ParseRoutePolicy(RoutePolicyName(policy)), policy);
  }
  EXPECT_FALSE(ParseRoutePolicy("fastest"));
}

TEST(PrefixHashes, AgreeExactlyAsFarAsTheTextsDo) {
  const std::string a(1000, 'x');
  std::string b = a;
  b[500] = 'y';
  const auto left = PrefixHashes(a, 64, 100, 1);
  const auto right = PrefixHashes(b, 64, 100, 1);
  ASSERT_EQ(left.size(), 15u);
  for (size_t i = 0; i < left.size(); ++i) EXPECT_EQ(left[i] == right[i], i < 500 / 64);
  EXPECT_NE(PrefixHashes(a, 64, 100, 2).front(), left.front()) << "salts part tenants";
  EXPECT_EQ(PrefixHashes(a, 64, 3, 1).size(), 3u);
  EXPECT_TRUE(PrefixHashes(a, 0, 3, 1).empty());
}

TEST(CacheIndex, FindsTheDeepestHolders) {
  CacheIndex index(1024);
  const std::vector<uint64_t> prefix = Prefix(1, 30);
  for (int32_t node = 0; node < 3; ++node) {
    index.Add(std::span(prefix).first(static_cast<size_t>(10 * (node + 1))), node);
  }
  const CacheIndex::Matches found = index.Find(prefix);
  ASSERT_GE(found.count, 1u);
  EXPECT_EQ(found.items[0].node, 2);
  EXPECT_EQ(found.items[0].blocks, 28);  // of 30, the depth that is remembered
  index.Remove(2);
  EXPECT_NE(index.Find(prefix).items[0].node, 2);
  EXPECT_EQ(index.Find(Prefix(2, 30)).count, 0u);
}

TEST(CacheIndex, TellsEveryDepthWithinAFifth) {
  for (size_t held = 1; held <= 300; ++held) {
    CacheIndex index(4096);
    const std::vector<uint64_t> prefix = Prefix(7, 300);
    index.Add(std::span(prefix).first(held), 3);
    const CacheIndex::Matches found = index.Find(prefix);
    ASSERT_EQ(found.count, 1u);
    EXPECT_LE(found.items[0].blocks, static_cast<int32_t>(held));
    EXPECT_GE(found.items[0].blocks * 5, static_cast<int32_t>(held) * 4);
  }
}

TEST(CacheIndex, StaysWithinItsSize) {
  CacheIndex index(512);
  for (uint64_t seed = 0; seed < 10'000; ++seed) index.Add(Prefix(seed, 4), 1);
  EXPECT_LE(index.size(), 512u);
  EXPECT_GT(index.Find(Prefix(9'999, 4)).count, 0u) << "the newest is remembered";
}

}  // namespace
}  // namespace jikji::fleet
