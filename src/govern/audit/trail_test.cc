// The audit log as a server writes it: decisions of admission, refused keys, acts of
// administration; and that nothing passes which cannot be recorded.
#include "govern/audit/trail.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <map>

#include "govern/audit/verify.h"
#include "govern/testing/site.h"

namespace jikji {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

struct Seen {
  std::string tenant, event;
  std::map<std::string, std::string> fields;
};

class TrailTest : public Site {
 protected:
  std::unique_ptr<Governor> OpenAudited(const std::string& journal = "journal") {
    GovernorOptions options = Options(journal);
    options.audit = folder_ / (journal + ".audit");
    auto opened = Governor::Open(options);
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    return opened ? std::move(*opened) : nullptr;
  }
  // All records, from a log that verifies.
  std::vector<Seen> Records(const std::string& journal = "journal") {
    std::vector<Seen> seen;
    audit::VerifyOptions options;
    options.visit = [&](const audit::Record& record, std::string_view, const audit::Hash&) {
      Seen& last = seen.emplace_back(Seen{record.tenant, record.event, {}});
      for (const audit::Field& field : record.fields) last.fields[field.name] = field.value;
    };
    const auto report = audit::VerifyLog(folder_ / (journal + ".audit"), std::move(options));
    EXPECT_TRUE(report && report->faults.empty());
    return seen;
  }
  static std::vector<Seen> Of(const std::vector<Seen>& all, std::string_view event) {
    std::vector<Seen> found;
    for (const Seen& one : all) {
      if (one.event == event) found.push_back(one);
    }
    return found;
  }
  std::string Tenant() const { return audit::TenantName(organisation_); }
};
INSTANTIATE_TEST_SUITE_P(Stores, TrailTest, kEachStore, StoreName);

TEST_P(TrailTest, EveryDecisionIsARecordOfItsTenant) {
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kKey, key_.id}, Window::kMonth, 50, true));
  {
    const auto governor = OpenAudited();
    AdmissionRequest request = Ask(2, 1);
    request.request = "req-1";
    EXPECT_TRUE(Admit(*governor, key_.secret, request).has_value());
    EXPECT_FALSE(Admit(*governor, key_.secret, Ask(1000, 1)).has_value());
    EXPECT_FALSE(governor->Authenticate(key_.secret, "127.0.0.1:1", Right::kOperate).has_value());
    const std::string strange = MakeApiKey(KeyShape::kJikji).value();
    for (int i = 0; i < 7; ++i) {
      EXPECT_FALSE(governor->Authenticate(strange, "127.0.0.1:1", Right::kInfer).has_value());
    }
    ASSERT_TRUE(governor->Tick());
  }
  const auto all = Records();
  const auto granted = Of(all, "admission.granted");
  ASSERT_EQ(granted.size(), 1u);
  EXPECT_EQ(granted[0].tenant, Tenant());
  EXPECT_EQ(granted[0].fields.at("request"), "req-1");
  EXPECT_EQ(granted[0].fields.at("key"), std::to_string(key_.id));
  EXPECT_EQ(granted[0].fields.at("prompt_tokens"), "2");
  EXPECT_EQ(granted[0].fields.at("max_output_tokens"), "1");
  EXPECT_THAT(granted[0].fields, Not(Contains(Key("reason"))));
  const auto refused = Of(all, "admission.refused");
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].fields.at("reason"), "key_spend_limit_exceeded");
  const auto denied = Of(all, "authentication.refused");
  ASSERT_EQ(denied.size(), 1u);
  EXPECT_EQ(denied[0].tenant, Tenant());
  EXPECT_EQ(denied[0].fields.at("reason"), "insufficient_permissions");
  // A flood of strange keys is one record.
  const auto failed = Of(all, "authentication.failed");
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].tenant, "site");
  EXPECT_EQ(failed[0].fields.at("count"), "7");
}

// What was done before the server ran, or by another program, is in its log all the same; once.
TEST_P(TrailTest, ActsReachEveryServersLogOnce) {
  for (int round = 0; round < 3; ++round) {
    const auto first = OpenAudited("a");
    const auto second = OpenAudited("b");
    ASSERT_TRUE(admin_->SetLimit({{ScopeKind::kProject, project_}, "", round, {}, {}}));
    ASSERT_TRUE(admin_->Stop("model", "m", "drill"));
    ASSERT_TRUE(admin_->Resume("model", "m"));
    EXPECT_FALSE(admin_->Resume("model", "m").has_value());  // nothing was done: no act
    ASSERT_TRUE(first->Tick());
    ASSERT_TRUE(second->Tick());
  }
  for (const char* server : {"a", "b"}) {
    const auto all = Records(server);
    const auto limits = Of(all, "rate_limit.updated");
    ASSERT_EQ(limits.size(), 3u);
    EXPECT_EQ(limits[2].tenant, Tenant());
    EXPECT_EQ(limits[2].fields.at("actor"), "test");
    EXPECT_EQ(limits[2].fields.at("target"), fmt::format("project_{}", project_));
    EXPECT_THAT(limits[2].fields.at("detail"), HasSubstr(R"("requests_per_minute":2)"));
    EXPECT_EQ(Of(all, "stop.started").size(), 3u);
    EXPECT_EQ(Of(all, "stop.ended").size(), 3u);
    EXPECT_EQ(Of(all, "organization.created").size(), 1u);
    EXPECT_EQ(Of(all, "api_key.created").size(), 1u);
    for (const Seen& one : all) {
      for (const auto& [name, value] : one.fields) EXPECT_THAT(value, Not(HasSubstr(key_.secret)));
    }
  }
}

TEST_P(TrailTest, AnActThatFailsLeavesNoRecord) {
  const auto before = ReadActs(*database_, {}).value().size();
  EXPECT_FALSE(admin_->AddOrganisation("시청", "KRW").has_value());
  EXPECT_FALSE(admin_->RevokeKey(999).has_value());
  EXPECT_FALSE(admin_->AddProject(999, "x", {}).has_value());
  EXPECT_EQ(ReadActs(*database_, {}).value().size(), before);
}

// Promise 3: the disk refuses, so nothing is let in; and what was refused cost nothing.
TEST_P(TrailTest, WhatCannotBeRecordedIsNotLetIn) {
  const auto governor = OpenAudited();
  {
    auto good = Admit(*governor, key_.secret, Ask(1, 1));
    ASSERT_TRUE(good.has_value());
  }
  ASSERT_TRUE(governor->trail()->log().WaitDurable(0));
  // No file of this process may grow: the log's writer finds a full disk.
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{.rlim_cur = 1, .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  (void)governor->trail()->Write("t", "e", {{"a", "b"}});
  const auto index = governor->trail()->Write("t", "e", {{"a", "b"}});
  EXPECT_FALSE(index && governor->trail()->log().WaitDurable(index->index));
  const auto refused = Admit(*governor, key_.secret, Ask(1, 1));
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, "audit_unavailable");
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

TEST_P(TrailTest, ATenantWhoseKeyIsDestroyedHasNoMoreContent) {
  const auto governor = OpenAudited();
  audit::Trail& trail = *governor->trail();
  ASSERT_TRUE(trail.Write("org-9", "generation.ended", {{"a", "b"}}, "content"));
  ASSERT_TRUE(trail.log().keys().Destroy("org-9"));
  EXPECT_FALSE(trail.Write("org-9", "generation.ended", {{"a", "b"}}, "content").has_value());
  EXPECT_TRUE(trail.Write("org-9", "admission.refused", {{"a", "b"}}));
}

// Erasure by an act: each server's log loses the content, says so, and still verifies.
TEST_P(TrailTest, ErasedContentLeavesACertificateInEveryLog) {
  const auto first = OpenAudited("a");
  const auto second = OpenAudited("b");
  ASSERT_TRUE(first->trail()->Write(Tenant(), "generation.ended", {{"a", "b"}}, "content"));
  EXPECT_FALSE(admin_->EraseContent(organisation_, "contract over").has_value());
  ASSERT_TRUE(admin_->Archive(ScopeKind::kOrganisation, organisation_));
  ASSERT_TRUE(admin_->EraseContent(organisation_, "contract over"));
  ASSERT_TRUE(first->Tick());
  ASSERT_TRUE(second->Tick());
  for (const auto& [server, content] :
       {std::pair("a", "erased"), std::pair("b", "there was none")}) {
    const auto certificates = Of(Records(server), "key.destroyed");
    ASSERT_EQ(certificates.size(), 1u);
    EXPECT_EQ(certificates[0].tenant, Tenant());
    EXPECT_EQ(certificates[0].fields.at("content"), content);
  }
  EXPECT_FALSE(first->trail()->log().keys().Seal(Tenant(), "f", "c").has_value());
}

}  // namespace
}  // namespace jikji
