// A program that compacts a hub is killed at its system calls, and one runs beside the collector
// and pushes: the blob is readable at every moment, and nothing is left over.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "base/test_rounds.h"
#include "hub/compact/compact.h"
#include "hub/compact/testing.h"
#include "hub/testing/kill_at.h"

namespace jikji::hub {
namespace {

TEST(HubCrash, AtEveryStepOfACompactionTheBlobIsReadable) {
  const auto base = RandomModel(1, 2);
  const std::string plain = Safetensors(base);
  TemporaryHub hub;
  ASSERT_TRUE(CommitModel(*hub, hub.Make("alice/base"), plain));
  const std::string tuned = Safetensors(Tuned(base, 2));
  ASSERT_TRUE(CommitModel(*hub, hub.Make("bob/tuned"), tuned, "alice/base"));
  bool finished = false;
  int killed = 0;
  int compact = 0;
  const int stride = TestRounds(8) == 8 ? 2 : 31;  // sanitizers visit fewer
  for (int step = 0; !finished; step += stride) {
    {
      auto session = hub->Connect();  // plain again
      ASSERT_TRUE(Store(*hub, **session, tuned, "bob"));
    }
    hub.Close();  // SQLite's connections must not be carried into a child
    const Ended ended = KillAt(step, [&] {
      ThreadPool pool(1);
      auto opened = Hub::Open(hub.root());
      return opened && CompactHub(**opened, {}, pool).has_value();
    });
    if (ended == Ended::kNotTraced) GTEST_SKIP() << "children cannot be traced here";
    ASSERT_NE(ended, Ended::kFailed) << step;
    finished = ended == Ended::kFinished;
    killed += ended == Ended::kKilled ? 1 : 0;
    hub.Reopen();
    ASSERT_TRUE(BytesOf(*hub, plain) == plain) << step;
    ASSERT_TRUE(BytesOf(*hub, tuned) == tuned) << step;
    // Nothing leaks: the blob is there once, and nothing is half written.
    ASSERT_TRUE(CollectGarbage(*hub));
    ASSERT_TRUE(hub->blobs().RemoveAbandoned(std::chrono::seconds(0)));
    ASSERT_NE(IsPlain(*hub, tuned), IsCompact(*hub, tuned)) << step;
    ASSERT_TRUE(BytesOf(*hub, tuned) == tuned) << step;
    ASSERT_TRUE(std::filesystem::is_empty(hub.root() / "incoming")) << step;
    compact += IsCompact(*hub, tuned) ? 1 : 0;
  }
  std::printf("killed at %d steps, compact after %d\n", killed, compact);
  EXPECT_GT(killed, 60 / stride);
  EXPECT_GE(compact, 1);
}

TEST(HubCompactRaces, CollectorsPushesAndReadersBesideIt) {
  const auto base = RandomModel(1, 2);
  const std::string plain = Safetensors(base);
  TemporaryHub hub;
  const Repository bases = hub.Make("alice/base");
  const Repository tuned = hub.Make("bob/tuned");
  ASSERT_TRUE(CommitModel(*hub, bases, plain));
  std::vector<std::string> all;
  const int rounds = TestRounds(24);
  for (int i = 0; i < rounds; ++i) {
    all.push_back(Safetensors(Tuned(base, 200 + static_cast<uint64_t>(i))));
  }
  std::atomic<int> committed = 0;
  std::atomic<bool> stop = false;
  std::thread compactor([&] {
    ThreadPool pool(1);
    while (!stop) EXPECT_TRUE(CompactHub(*hub, {}, pool));
  });
  std::thread collector([&] {
    while (!stop) EXPECT_TRUE(CollectGarbage(*hub));
  });
  std::thread reader([&] {
    for (size_t i = 0; !stop; ++i) {
      if (committed == 0) continue;
      const std::string& bytes = all[i % static_cast<size_t>(committed)];
      EXPECT_TRUE(BytesOf(*hub, bytes) == bytes);
    }
  });
  for (int i = 0; i < rounds; ++i) {
    EXPECT_TRUE(CommitModel(*hub, tuned, all[static_cast<size_t>(i)], "alice/base"));
    committed = i + 1;
    // One that is compact is pushed again.
    auto session = hub->Connect();
    EXPECT_TRUE(Store(*hub, **session, all[static_cast<size_t>(i / 2)], "bob"));
  }
  stop = true;
  compactor.join();
  collector.join();
  reader.join();
  for (const std::string& bytes : all) EXPECT_TRUE(BytesOf(*hub, bytes) == bytes);
}

}  // namespace
}  // namespace jikji::hub
