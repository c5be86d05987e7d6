// Possession, quotas, and the collector beside those who push.
#include "hub/blobs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "hub/testing/temporary_hub.h"

namespace jikji::hub {
namespace {

// As if every lease had ended.
void EndLeases(Database& database) { ASSERT_TRUE(database.Run("UPDATE leases SET until = 0")); }

TEST(Possession, ADigestAloneOpensNothing) {
  TemporaryHub hub;
  const Repository secret = hub.Make("alice/secret", /*is_private=*/true);
  const Repository other = hub.Make("bob/other");
  const std::string bytes = "the weights of alice";
  ASSERT_TRUE(CommitFile(*hub, secret, "w", bytes));
  auto session = hub->Connect();
  const Digest digest = Sha256Of(bytes);
  EXPECT_TRUE(*HasBlob(**session, digest, bytes.size(), "alice"));
  EXPECT_TRUE(*HasBlob(**session, digest, bytes.size(), "ALICE"));
  EXPECT_FALSE(*HasBlob(**session, digest, bytes.size(), "bob"));
  EXPECT_FALSE(*HasBlob(**session, digest, bytes.size() + 1, "alice"));
  CommitRequest steal;
  steal.repository = other.id;
  steal.owner = "bob";
  steal.title = "mine now";
  steal.changes.push_back({Change::Kind::kPut, "w", LargeFile(digest, bytes.size())});
  EXPECT_EQ(CommitTo(*hub, **session, steal).error().code, ErrorCode::kNotFound);
  // Who sends the bytes has them; they are stored once.
  ASSERT_TRUE(Store(*hub, **session, bytes, "bob"));
  EXPECT_EQ(CommitTo(*hub, **session, steal)->status, CommitOutcome::Status::kDone);
}

TEST(Possession, WhatIsPublicIsEverybodys) {
  TemporaryHub hub;
  ASSERT_TRUE(CommitFile(*hub, hub.Make("alice/open"), "w", "open weights"));
  auto session = hub->Connect();
  EXPECT_TRUE(*HasBlob(**session, Sha256Of("open weights"), 12, "bob"));
}

TEST(Quota, IsHeld) {
  TemporaryHub hub;
  const Repository repository = hub.Make("alice/tiny");
  {
    auto session = hub->Connect();
    ASSERT_TRUE(SetQuota(**session, "alice", 100));
  }
  EXPECT_TRUE(CommitFile(*hub, repository, "a", std::string(60, 'a')));
  const auto tip = CommitFile(*hub, repository, "same", std::string(60, 'a'));  // counts once
  ASSERT_TRUE(tip.has_value());
  const auto over = CommitFile(*hub, repository, "b", std::string(60, 'b'));
  EXPECT_EQ(over.error().code, ErrorCode::kResourceExhausted);
  auto session = hub->Connect();
  EXPECT_EQ(ResolveRevision(**session, repository.id, "main")->oid, tip->oid);
  EXPECT_EQ(*UsedBytes(**session, repository.id), 60u);
}

TEST(Collector, RemovesWhatNobodyNeedsAndNothingElse) {
  TemporaryHub hub;
  const Repository kept = hub.Make("alice/kept");
  const Repository gone = hub.Make("alice/gone");
  ASSERT_TRUE(CommitFile(*hub, kept, "folder/a", "kept"));
  ASSERT_TRUE(CommitFile(*hub, kept, "folder/a", "kept too"));  // the older revision stays
  ASSERT_TRUE(CommitFile(*hub, gone, "b", "gone"));
  ASSERT_TRUE(CommitFile(*hub, gone, "a", "kept"));  // shared
  auto session = hub->Connect();
  ASSERT_TRUE(Store(*hub, **session, "waiting", "alice"));
  ASSERT_TRUE(DeleteRepository(**session, gone.id));
  const auto before = CollectGarbage(*hub);
  EXPECT_EQ(before->blobs, 0u);  // leases keep all
  EXPECT_EQ(before->trees, 2u);
  EndLeases(**session);
  ASSERT_TRUE(HasBlob(**session, Sha256Of("kept"), 4, "alice"));
  const auto collected = CollectGarbage(*hub);
  ASSERT_TRUE(collected.has_value()) << collected.error().ToString();
  EXPECT_EQ(collected->blobs, 2u);
  EXPECT_EQ(collected->bytes, 4u + 7u);
  EXPECT_EQ(collected->trees, 0u);
  EXPECT_TRUE(hub->blobs().OpenBlob(Sha256Of("kept")));
  EXPECT_TRUE(hub->blobs().OpenBlob(Sha256Of("kept too")));
  EXPECT_FALSE(hub->blobs().OpenBlob(Sha256Of("gone")));
  EXPECT_FALSE(hub->blobs().OpenBlob(Sha256Of("waiting")));
  EXPECT_EQ(CollectGarbage(*hub)->blobs, 0u);
}

TEST(Collector, AFileWithoutARowGoes) {
  TemporaryHub hub;
  ASSERT_TRUE(hub->blobs().Put("left by a killed upload"));
  ASSERT_TRUE(CollectGarbage(*hub));
  EXPECT_FALSE(hub->blobs().OpenBlob(Sha256Of("left by a killed upload")));
}

// Pushers of the same few contents, whose repositories are deleted and whose leases end at once,
// beside a collector that never rests: whatever a commit holds is there.
TEST(Collector, NeverRacesAPush) {
  TemporaryHub hub;
  std::atomic<bool> stop = false;
  std::thread collector([&] {
    while (!stop) {
      {
        auto session = hub->Connect();
        EXPECT_TRUE((*session)->Run("DELETE FROM leases WHERE owner = 'sweep'"));
      }
      const auto collected = CollectGarbage(*hub);
      EXPECT_TRUE(collected.has_value()) << collected.error().ToString();
    }
  });
  std::vector<std::thread> pushers;
  for (int pusher = 0; pusher < 4; ++pusher) {
    pushers.emplace_back([&, pusher] {
      for (int round = 0; round < 12; ++round) {
        const std::string name = "sweep/r" + std::to_string(pusher * 100 + round);
        const Repository repository = hub.Make(name);
        ASSERT_NE(repository.id, 0);
        const std::string content = "content " + std::to_string(round % 3);
        // The lease may be taken away before the commit; then the push starts anew.
        Result<CommitOutcome> done = CommitFile(*hub, repository, "w", content);
        while (!done && done.error().code == ErrorCode::kNotFound) {
          done = CommitFile(*hub, repository, "w", content);
        }
        ASSERT_TRUE(done.has_value()) << done.error().ToString();
        EXPECT_TRUE(hub->blobs().OpenBlob(Sha256Of(content))) << name;
        auto session = hub->Connect();
        EXPECT_TRUE(DeleteRepository(**session, repository.id));
      }
    });
  }
  for (std::thread& pusher : pushers) pusher.join();
  stop = true;
  collector.join();
  EXPECT_TRUE(CollectGarbage(*hub));
  size_t left = 0;
  EXPECT_TRUE(hub->blobs().ForEach([&](const StoredFile&) -> Result<> {
    ++left;
    return {};
  }));
  auto session = hub->Connect();
  const auto rows = (*session)->Run("SELECT digest FROM blobs");
  EXPECT_EQ(rows->size(), left);
}

}  // namespace
}  // namespace jikji::hub
