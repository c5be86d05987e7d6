// A program that pushes is killed at every system call it makes: the branch is the old one or the
// new one, nothing that a commit holds is lost, and the collector leaves nothing behind.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/test_rounds.h"
#include "hub/testing/kill_at.h"
#include "hub/testing/temporary_hub.h"

namespace jikji::hub {
namespace {

TEST(HubCrash, AtEveryStepOfACommitTheBranchIsOldOrNew) {
  TemporaryHub hub;
  const Repository repository = hub.Make("alice/tiny");
  std::string tip = CommitFile(*hub, repository, "w", "0")->oid;
  int finished = 0;
  int killed = 0;
  int moved = 0;
  const int stride = TestRounds(8) == 8 ? 1 : 24;  // sanitizers visit fewer
  for (int step = 0; finished == 0; step += stride) {
    const std::string content = "content " + std::to_string(step);
    hub.Close();  // SQLite's connections must not be carried into a child
    const Ended ended = KillAt(step, [&] {
      auto opened = Hub::Open(hub.root());
      return opened && CommitFile(**opened, repository, "w", content, tip).has_value();
    });
    if (ended == Ended::kNotTraced) GTEST_SKIP() << "children cannot be traced here";
    ASSERT_NE(ended, Ended::kFailed) << step;
    finished += ended == Ended::kFinished ? 1 : 0;
    killed += ended == Ended::kKilled ? 1 : 0;
    hub.Reopen();
    auto session = hub->Connect();
    const auto now = ResolveRevision(**session, repository.id, "main");
    ASSERT_TRUE(now.has_value()) << now.error().ToString();
    const auto listing = hub->ListingOf(**session, now->tree);
    ASSERT_TRUE(listing.has_value());
    const File& file = (*listing)->at("w");
    if (now->oid != tip) {
      EXPECT_EQ(now->parent, tip);
      EXPECT_EQ(file.digest, Sha256Of(content));
      ++moved;
    }
    tip = now->oid;
    const auto bytes = hub->blobs().OpenBlob(file.digest);
    ASSERT_TRUE(bytes.has_value()) << step;
    EXPECT_EQ(bytes->size(), file.size);
  }
  std::printf("killed at %d steps, moved %d times\n", killed, moved);
  EXPECT_GT(killed, 60 / stride);
  EXPECT_GE(moved, 2);  // killed after its commit, or not at all

  // Nothing leaks: what no commit holds goes, with what the killed were writing.
  auto session = hub->Connect();
  ASSERT_TRUE((*session)->Run("DELETE FROM leases"));
  ASSERT_TRUE(CollectGarbage(*hub));
  ASSERT_TRUE(hub->blobs().RemoveAbandoned(std::chrono::seconds(0)));
  size_t left = 0;
  ASSERT_TRUE(hub->blobs().ForEach([&](const StoredFile& file) -> Result<> {
    const auto rows =
        (*session)->Run("SELECT 1 FROM repository_blobs WHERE digest = $1", {HexOf(file.digest)});
    EXPECT_EQ(rows->size(), 1u);
    ++left;
    return {};
  }));
  EXPECT_EQ(left, static_cast<size_t>(moved) + 1);
}

TEST(HubCrash, AtEveryStepOfTheCollectorWhatIsNeededStays) {
  TemporaryHub hub;
  const Repository repository = hub.Make("alice/tiny");
  ASSERT_TRUE(CommitFile(*hub, repository, "w", "needed"));
  bool finished = false;
  int killed = 0;
  const int stride = TestRounds(8) == 8 ? 1 : 24;  // sanitizers visit fewer
  for (int step = 0; !finished; step += stride) {
    {
      auto session = hub->Connect();
      ASSERT_TRUE(Store(*hub, **session, "not needed", "alice"));
      ASSERT_TRUE((*session)->Run("DELETE FROM leases"));
    }
    hub.Close();
    const Ended ended = KillAt(step, [&] {
      auto opened = Hub::Open(hub.root());
      return opened && CollectGarbage(**opened).has_value();
    });
    if (ended == Ended::kNotTraced) GTEST_SKIP() << "children cannot be traced here";
    ASSERT_NE(ended, Ended::kFailed) << step;
    finished = ended == Ended::kFinished;
    killed += ended == Ended::kKilled ? 1 : 0;
    hub.Reopen();
    auto session = hub->Connect();
    // A row without its file would promise bytes that are not there.
    const auto rows = (*session)->Run("SELECT digest FROM blobs");
    for (size_t row = 0; row < rows->size(); ++row) {
      EXPECT_TRUE(hub->blobs().OpenBlob(*ParseDigest(rows->Text(row, 0))));
    }
    EXPECT_TRUE(hub->blobs().OpenBlob(Sha256Of("needed")));
    // The next one removes what a killed one left, so each step has one blob to remove.
    ASSERT_TRUE(CollectGarbage(*hub));
    size_t left = 0;
    ASSERT_TRUE(hub->blobs().ForEach([&](const StoredFile&) -> Result<> {
      ++left;
      return {};
    }));
    EXPECT_EQ(left, 1u) << step;
  }
  std::printf("killed at %d steps\n", killed);
  EXPECT_GT(killed, 60 / stride);
}

}  // namespace
}  // namespace jikji::hub
