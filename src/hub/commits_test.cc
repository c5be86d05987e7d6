#include "hub/commits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "hub/names.h"
#include "hub/testing/temporary_hub.h"

namespace jikji::hub {
namespace {

// The ids are what git itself printed for these files.
TEST(Listing, HasTheIdsThatGitGives) {
  Listing listing;
  listing["README.md"] = SmallFile("hello\n");
  listing["a/b/c.txt"] = SmallFile("x");
  listing["a.txt"] = SmallFile("y");  // before the folder `a` in git's order
  listing["가나/다.json"] = SmallFile("{}");
  listing["w.bin"] = LargeFile(Sha256Of("abcde"), 5);
  EXPECT_EQ(listing["README.md"].oid, "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(listing["w.bin"].oid, "5baa7535e6001d01c8c6581054a4a462ef1eb168");
  const auto trees = TreesOf(listing);
  ASSERT_TRUE(trees.has_value());
  std::map<std::string, std::string> stored;
  for (const Tree& tree : *trees) stored[tree.oid] = tree.entries;
  EXPECT_EQ(trees->back().oid, "6ce8070493685a3335d4707598ecaedfd3955418");
  EXPECT_TRUE(stored.contains("e2b0c41b0f7802e3db16736400d84a86ca333494"));  // a/b
  EXPECT_TRUE(stored.contains("c7c2682ce16889324c1352854fa41542447582e1"));  // 가나
  const auto loaded =
      LoadListing(trees->back().oid,
                  [&](const std::string& oid) -> Result<std::string> { return stored[oid]; });
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(*loaded, listing);
}

TEST(Listing, AFileIsNoFolder) {
  Listing listing;
  listing["a"] = SmallFile("x");
  listing["a/b"] = SmallFile("y");
  EXPECT_EQ(TreesOf(listing).error().code, ErrorCode::kInvalidArgument);
}

TEST(Names, LeadNowhere) {
  for (const char* path :
       {"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", ".git/config", "a/.GIT/hooks",
        "a\\b", "C:x", "a\nb", "a\x01", "\xff", "a/./b"}) {
    EXPECT_FALSE(CheckFilePath(path)) << path;
  }
  EXPECT_FALSE(CheckFilePath(std::string(256, 'a')));
  EXPECT_FALSE(CheckFilePath(std::string("a\0b", 3)));
  for (const char* path : {"README.md", "a/b/c.txt", "모델 카드.md", ".gitattributes", "a..b"}) {
    EXPECT_TRUE(CheckFilePath(path)) << path;
  }
  for (const char* name : {"", "a", "a/", "/a", "a/b/c", "a/b.git", "-a/b", "a/b-", "a/b--c",
                           "a/..", "a/한글", "a b/c"}) {
    EXPECT_FALSE(CheckRepositoryName(name)) << name;
  }
  EXPECT_TRUE(CheckRepositoryName("alice/Qwen3-0.6B_v1"));
  for (const char* name : {"", "a b", "a..b", "refs/heads/x", "a//b", ".a", "a.lock", "a^", "a@{",
                           "0123456789012345678901234567890123456789"}) {
    EXPECT_FALSE(CheckRefName(name)) << name;
  }
  for (const char* name : {"main", "v1.0", "feature/x", "실험"}) {
    EXPECT_TRUE(CheckRefName(name)) << name;
  }
}

TEST(Commits, ARepositoryIsBornWithARevision) {
  TemporaryHub hub;
  const Repository repository = hub.Make("alice/tiny");
  auto session = hub->Connect();
  const auto tip = ResolveRevision(**session, repository.id, "main");
  ASSERT_TRUE(tip.has_value());
  EXPECT_EQ(tip->tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  // Anew, in other letters: the same one.
  const auto again = CreateRepository(**session, "model", "Alice/TINY", true, "bob");
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(again->repository.id, repository.id);
  EXPECT_FALSE(again->repository.is_private);
}

TEST(Commits, ChangesMakeARevisionAndOldOnesStay) {
  TemporaryHub hub;
  const Repository repository = hub.Make("alice/tiny");
  const auto first = CommitFile(*hub, repository, "a/x.txt", "one");
  const auto second = CommitFile(*hub, repository, "a/x.txt", "two", first->oid);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->status, CommitOutcome::Status::kDone);
  auto session = hub->Connect();
  const auto content = [&](const std::string& revision) {
    const auto commit = ResolveRevision(**session, repository.id, revision);
    const auto listing = hub->ListingOf(**session, commit->tree);
    return (*listing)->at("a/x.txt").oid;
  };
  EXPECT_EQ(content("main"), GitObjectId("blob", "two"));
  EXPECT_EQ(content(first->oid), GitObjectId("blob", "one"));
  EXPECT_EQ(content(first->oid.substr(0, 8)), GitObjectId("blob", "one"));
  const auto history = History(**session, repository.id, second->oid, 0, 10);
  ASSERT_EQ(history->size(), 3u);
  EXPECT_EQ((*history)[1].oid, first->oid);
  EXPECT_EQ(History(**session, repository.id, second->oid, 1, 1)->at(0).oid, first->oid);

  EXPECT_EQ(CommitFile(*hub, repository, "a/x.txt", "two")->status,
            CommitOutcome::Status::kUnchanged);
  EXPECT_EQ(CommitFile(*hub, repository, "a/y.txt", "y", first->oid)->status,
            CommitOutcome::Status::kLost);
  CommitRequest remove;
  remove.repository = repository.id;
  remove.owner = "alice";
  remove.title = "remove";
  remove.changes = {{Change::Kind::kDeleteFolder, "a", {}}};
  ASSERT_TRUE(CommitTo(*hub, **session, remove));
  const auto tip = ResolveRevision(**session, repository.id, "main");
  EXPECT_TRUE((*hub->ListingOf(**session, tip->tree))->empty());
  EXPECT_EQ(CommitTo(*hub, **session, remove).error().code, ErrorCode::kNotFound);
}

TEST(Commits, RefsAreMadeMovedAndDeleted) {
  TemporaryHub hub;
  const Repository repository = hub.Make("alice/tiny");
  const auto first = CommitFile(*hub, repository, "x", "1");
  auto session = hub->Connect();
  ASSERT_TRUE(CreateRef(**session, repository.id, {"tag", "v1", first->oid, "first"}));
  ASSERT_TRUE(CreateRef(**session, repository.id, {"branch", "feature/x", first->oid, ""}));
  EXPECT_EQ(CreateRef(**session, repository.id, {"branch", "feature", first->oid, ""}).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CreateRef(**session, repository.id, {"tag", "v1", first->oid, ""}).error().code,
            ErrorCode::kInvalidArgument);
  ASSERT_TRUE(CommitFile(*hub, repository, "x", "2"));
  EXPECT_EQ(ResolveRevision(**session, repository.id, "v1")->oid, first->oid);
  EXPECT_EQ(ResolveRevision(**session, repository.id, "refs/tags/v1")->oid, first->oid);
  EXPECT_EQ(ListRefs(**session, repository.id)->size(), 3u);
  EXPECT_TRUE(DeleteRef(**session, repository.id, "branch", "feature/x"));
  EXPECT_EQ(DeleteRef(**session, repository.id, "branch", "feature/x").error().code,
            ErrorCode::kNotFound);
  EXPECT_FALSE(DeleteRef(**session, repository.id, "branch", "main"));
  const auto squashed = SquashBranch(**session, repository.id, "main", "all in one", "alice");
  ASSERT_TRUE(squashed.has_value());
  EXPECT_EQ(History(**session, repository.id, *squashed, 0, 10)->size(), 1u);
}

// Of all who push at once with the tip they saw, one wins for each parent; the others rebase on
// what they are told, until everything is there.
TEST(Commits, PushersRaceAndOneWinsForEachParent) {
  constexpr int kPushers = 64;
  TemporaryHub hub;
  const Repository repository = hub.Make("alice/tiny");
  std::string start;
  {
    auto session = hub->Connect();
    start = ResolveRevision(**session, repository.id, "main")->oid;
  }
  std::atomic<int> first_round_wins = 0;
  std::atomic<int> lost = 0;
  std::vector<std::thread> threads;
  for (int pusher = 0; pusher < kPushers; ++pusher) {
    threads.emplace_back([&, pusher] {
      std::string parent = start;
      for (;;) {
        const auto outcome = CommitFile(*hub, repository, "file" + std::to_string(pusher),
                                        std::to_string(pusher), parent);
        ASSERT_TRUE(outcome.has_value()) << outcome.error().ToString();
        if (outcome->status == CommitOutcome::Status::kDone) {
          if (parent == start) ++first_round_wins;
          return;
        }
        ++lost;
        parent = outcome->oid;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first_round_wins, 1);
  EXPECT_GE(lost, kPushers - 1);
  auto session = hub->Connect();
  const auto tip = ResolveRevision(**session, repository.id, "main");
  const auto history = History(**session, repository.id, tip->oid, 0, 1000);
  ASSERT_EQ(history->size(), static_cast<size_t>(kPushers) + 1);
  std::set<std::string> parents;
  for (const Commit& commit : *history) EXPECT_TRUE(parents.insert(commit.parent).second);
  EXPECT_EQ((*hub->ListingOf(**session, tip->tree))->size(), static_cast<size_t>(kPushers));
}

}  // namespace
}  // namespace jikji::hub
