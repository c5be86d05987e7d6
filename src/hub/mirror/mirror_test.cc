// Mirrors of a hub that is served: whole, again, changed on either side, cut.
#include "hub/mirror/mirror.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

class Mirrors : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_EQ(
        site_.PostJson("/api/repos/create", R"({"name":"m","organization":"team"})").is_null(),
        false);
    Commit("config.json", "{}");
    Commit("한글/설명.txt", "한국어");
  }
  void Commit(const std::string& path, const std::string& content) {
    EXPECT_EQ(site_.Commit("team/m", path, content).status, 200);
  }
  Result<MirrorReport> Run(const std::string& into = {}, bool leave_out = false,
                           bool deletions = false) {
    Remote remote(site_.url(), token_);
    const auto session = here_->Connect();
    return Mirror(
        *here_, **session, remote,
        {.repository = "team/m", .into = into, .leave_out = leave_out, .deletions = deletions});
  }
  // What is at a revision here; a null listing where there is none.
  std::pair<std::string, std::shared_ptr<const Listing>> Here(const std::string& revision,
                                                              const std::string& name = "team/m") {
    const auto session = here_->Connect();
    const auto repository = FindRepository(**session, "model", name);
    if (!repository) return {};
    const auto commit = ResolveRevision(**session, repository->id, revision);
    if (!commit) return {};
    return {commit->oid, *here_->ListingOf(**session, commit->tree)};
  }
  std::string There(const std::string& revision) {
    return std::string(
        site_.GetJson("/api/models/team/m/revision/" + revision).at("sha").as_string());
  }

  TemporarySite site_;
  TemporaryHub here_;
  std::string token_;
};

TEST_F(Mirrors, BranchesAndTagsStandHereUnderTheirIds) {
  EXPECT_EQ(site_.Post("/api/models/team/m/tag/main", R"({"tag":"v1"})").status, 200);
  Commit("more.txt", "more");
  EXPECT_EQ(site_.Post("/api/models/team/m/branch/next", "{}").status, 200);
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->refs.size(), 3u);
  for (const char* revision : {"main", "next", "v1"}) {
    EXPECT_EQ(Here(revision).first, There(revision)) << revision;
  }
  EXPECT_EQ(Here("v1").second->size(), 2u);
  EXPECT_EQ(Here("main").second->size(), 3u);
  const Digest digest = Here("main").second->at("한글/설명.txt").digest;
  EXPECT_EQ(*ReadFile(here_->blobs().PathOf(digest)), "한국어");
  EXPECT_EQ(CollectGarbage(*here_)->blobs, 0u);
  EXPECT_FALSE(std::filesystem::exists(here_.root() / "mirrors")) << "nothing is left behind";
}

TEST_F(Mirrors, AgainFetchesOnlyWhatIsNew) {
  ASSERT_TRUE(Run());
  const auto same = Run();
  ASSERT_TRUE(same);
  EXPECT_EQ(same->fetched_bytes, 0u);
  for (const MirroredRef& ref : same->refs) EXPECT_FALSE(ref.changed) << ref.name;
  Commit("more.txt", "four");
  const auto more = Run();
  ASSERT_TRUE(more) << more.error().ToString();
  EXPECT_EQ(Here("main").first, There("main"));
}

TEST_F(Mirrors, ABranchThatWasChangedHereStays) {
  ASSERT_TRUE(Run());
  Repository repository;
  {
    const auto session = here_->Connect();
    repository = *FindRepository(**session, "model", "team/m");
  }
  ASSERT_TRUE(CommitFile(*here_, repository, "ours.txt", "ours"));
  const std::string ours = Here("main").first;
  Commit("theirs.txt", "theirs");
  EXPECT_EQ(Run().error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Here("main").first, ours);
  ASSERT_TRUE(Run("copy/m"));
  EXPECT_EQ(Here("main", "copy/m").first, There("main"));
}

TEST_F(Mirrors, DeletionsAreFollowedWhereThatIsAskedFor) {
  for (const char* name : {"gone", "ours", "next"}) {
    EXPECT_EQ(site_.Post("/api/models/team/m/branch/" + std::string(name), "{}").status, 200);
  }
  EXPECT_EQ(site_.Post("/api/models/team/m/tag/main", R"({"tag":"v1"})").status, 200);
  ASSERT_TRUE(Run());
  {
    const auto session = here_->Connect();
    const Repository repository = *FindRepository(**session, "model", "team/m");
    ASSERT_TRUE(CreateRef(**session, repository.id, {"branch", "local", Here("main").first, ""}));
    CommitRequest change;
    change.repository = repository.id;
    change.owner = "team";
    change.branch = change.title = "ours";
    change.changes.push_back({Change::Kind::kDeleteFile, "config.json", {}});
    ASSERT_TRUE(CommitTo(*here_, **session, change));
  }
  for (const char* path : {"branch/gone", "branch/ours", "tag/v1"}) {
    EXPECT_EQ(site_.Request("DELETE", "/api/models/team/m/" + std::string(path), "").status, 200);
  }
  ASSERT_TRUE(Run());
  EXPECT_NE(Here("gone").second, nullptr) << "nothing goes unasked";
  const auto report = Run({}, false, /*deletions=*/true);
  ASSERT_TRUE(report) << report.error().ToString();
  std::set<std::string> deleted;
  for (const Ref& ref : report->deleted) deleted.insert(ref.kind + " " + ref.name);
  EXPECT_EQ(deleted, (std::set<std::string>{"branch gone", "tag v1"}));
  EXPECT_EQ(Here("gone").second, nullptr);
  EXPECT_EQ(Here("v1").second, nullptr);
  for (const char* stays : {"main", "next", "ours", "local"}) {
    EXPECT_NE(Here(stays).second, nullptr) << stays;
  }
  // A branch that comes back there comes back here.
  EXPECT_EQ(site_.Post("/api/models/team/m/branch/gone", "{}").status, 200);
  ASSERT_TRUE(Run());
  EXPECT_NE(Here("gone").second, nullptr);
}

TEST_F(Mirrors, ModelsOfAnOwnerOrAllAreTold) {
  for (const char* body :
       {R"({"name":"n","organization":"team"})", R"({"name":"o","organization":"city"})"}) {
    EXPECT_EQ(site_.Post("/api/repos/create", body).status, 200);
  }
  Remote remote(site_.url(), token_);
  const auto set = [](const Result<std::vector<std::string>>& names) {
    return std::set<std::string>(names->begin(), names->end());
  };
  EXPECT_EQ(set(remote.Models("team")), (std::set<std::string>{"team/m", "team/n"}));
  EXPECT_EQ(set(remote.Models("")), (std::set<std::string>{"team/m", "team/n", "city/o"}));
  EXPECT_TRUE(remote.Models("nobody")->empty());
}

TEST_F(Mirrors, WhatIsClosedThereIsPrivateHere) {
  token_ = site_.AddAccount("team", AccountRole::kAdmin);
  site_.UseToken(token_);
  EXPECT_EQ(site_.Request("PUT", "/api/models/team/m/settings", R"({"gated":"manual"})").status,
            200);
  ASSERT_TRUE(Run());
  const auto session = here_->Connect();
  EXPECT_TRUE(FindRepository(**session, "model", "team/m")->is_private);
  token_.clear();
  EXPECT_FALSE(Run("other/m")) << "without a token the files are not there";
  EXPECT_EQ(Here("main", "other/m").second, nullptr);
}

TEST_F(Mirrors, WhatTheDoorRefusesIsNamedOrLeftOut) {
  // The source is another program, whose door is open: its bytes are put past it.
  const auto session = site_.hub().Connect();
  const Repository there = *FindRepository(**session, "model", "team/m");
  ASSERT_TRUE(CommitFile(site_.hub(), there, "weights.pickle", "\x80\x04K\x01."));
  const auto refused = Run();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("weights.pickle"), std::string::npos);
  EXPECT_EQ(Here("main").second, nullptr);
  const auto rest = Run({}, /*leave_out=*/true);
  ASSERT_TRUE(rest) << rest.error().ToString();
  EXPECT_EQ(rest->refs.front().left_out, std::vector<std::string>{"weights.pickle"});
  EXPECT_NE(Here("main").first, There("main")) << "other files, another commit";
  EXPECT_EQ(Here("main").second->size(), 2u);
  const auto again = Run({}, true);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->refs.front().changed);
}

}  // namespace
}  // namespace jikji::hub
