#include "govern/compliance/retention.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/file.h"
#include "govern/audit/content_seal.h"
#include "govern/audit/verify.h"
#include "govern/ledger/calendar.h"
#include "govern/tenancy/acts.h"
#include "govern/testing/site.h"

namespace jikji::compliance {
namespace {

constexpr int64_t kDay = 86'400;

std::string BuiltIn() {
  return ReadFile(std::string(JIKJI_SOURCE_DIR) + "/src/govern/data/retention.toml").value();
}
std::string Rule(std::string_view kind, std::string_view from, int64_t days) {
  return fmt::format(
      "[[retention]]\nkind = \"{}\"\nfrom = \"{}\"\ndays = {}\ntext = \"t\"\ntext_ko = \"글\"\n",
      kind, from, days);
}
// Content 60 days, later 30; usage 100 days; acts 200.
std::vector<RetentionRule> Rules() {
  return ReadRetention(Rule("content", "2026-01-01", 60) + Rule("content", "2030-01-01", 30) +
                           Rule("usage", "2026-01-01", 100) + Rule("acts", "2026-01-01", 200),
                       "r")
      .value();
}

TEST(RetentionRules, WhatIsNoRuleIsRefused) {
  ASSERT_TRUE(ReadRetention(BuiltIn(), "retention.toml").has_value());
  const std::string good = Rule("content", "2026-01-01", 1) + Rule("usage", "2026-01-01", 0) +
                           Rule("acts", "2026-01-01", 36'500);
  ASSERT_TRUE(ReadRetention(good, "r").has_value());
  const std::string bad[] = {"",
                             "x = 1\n" + good,
                             good + "more = 1\n",
                             Rule("content", "2026-01-01", 1),
                             good + Rule("usage", "2026-01-01", 5),
                             good + Rule("usage", "someday", 5),
                             good + Rule("usage", "2027-01-01", -1),
                             good + Rule("usage", "2027-01-01", 36'501),
                             good + Rule("prompts", "2027-01-01", 1),
                             "retention = [1]\n"};
  for (const std::string& text : bad) EXPECT_FALSE(ReadRetention(text, "r").has_value()) << text;
  for (size_t i = 0; i < good.size(); ++i) (void)ReadRetention(good.substr(0, i), "r");
}

class RetentionTest : public jikji::Site {
 protected:
  std::unique_ptr<Governor> OpenAudited() {
    GovernorOptions options = Options();
    options.audit = folder_ / "audit";
    auto opened = Governor::Open(options);
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    return opened ? std::move(*opened) : nullptr;
  }
  // As the run at that moment.
  void Run(int64_t now) {
    const auto expired = FindExpired(*database_, Rules(), now);
    ASSERT_TRUE(expired.has_value()) << expired.error().ToString();
    const auto done = DeleteExpired(*database_, *expired, "test", now);
    ASSERT_TRUE(done.has_value()) << done.error().ToString();
  }
  std::vector<std::string> Events() {
    const auto acts = ReadActs(*database_, {}).value();
    std::vector<std::string> events;
    for (const WrittenAct& act : acts) events.push_back(act.event);
    return events;
  }
  std::string Tenant() const { return audit::TenantName(organisation_); }
};
INSTANTIATE_TEST_SUITE_P(Stores, RetentionTest, kEachStore, StoreName);

TEST_P(RetentionTest, ARuleCountsFromItsDay) {
  const int64_t change = ParseDay("2030-01-01").value();
  const auto before = FindExpired(*database_, Rules(), change - 1).value();
  EXPECT_EQ(before[0].rule.days, 60);
  EXPECT_EQ(FormatTime(before[0].before).substr(0, 10), "2029-11-01");
  const auto after = FindExpired(*database_, Rules(), change).value();
  EXPECT_EQ(after[0].rule.days, 30);
  EXPECT_EQ(FormatTime(after[0].before).substr(0, 10), "2029-12-01");
  // Before the first rule nothing is past its time.
  EXPECT_TRUE(FindExpired(*database_, Rules(), ParseDay("2025-12-31").value()).value().empty());
}

// The month's key is destroyed once the month has been over for as long as the rule says; the log
// verifies, and has the certificate.
TEST_P(RetentionTest, ContentIsErasedByMonth) {
  // The log stamps its records by the machine's own clock; the run's is stepped.
  const int64_t written = SystemClock().WallSeconds();
  const std::string month = audit::MonthOf(written);
  {
    const auto governor = OpenAudited();
    ASSERT_TRUE(governor->trail()->Write(Tenant(), "generation.ended", {}, "900101-1234567"));
    audit::TenantKeys& keys = governor->trail()->log().keys();
    const auto sealed = audit::SealContent(keys, Tenant(), month, "900101-1234567");
    ASSERT_TRUE(sealed.has_value());
    const std::string text = "900101-1234567";
    EXPECT_EQ(*sealed, audit::SealContent(keys, Tenant(), month, text).value());
    EXPECT_NE(*sealed, audit::SealContent(keys, Tenant(), "2026-01", text).value());
    EXPECT_NE(*sealed, audit::SealContent(keys, "org-999", month, text).value());

    Run(written + 59 * kDay);
    ASSERT_TRUE(governor->Tick());
    EXPECT_TRUE(audit::SealContent(keys, Tenant(), month, "x").has_value());
    EXPECT_FALSE(audit::SealContent(keys, Tenant(), "2026-01", "x").has_value());

    Run(written + (60 + 31) * kDay);
    ASSERT_TRUE(governor->Tick());
    EXPECT_EQ(audit::SealContent(keys, Tenant(), month, "x").error().code,
              ErrorCode::kPermissionDenied);
    // Another month's is written on; and a second run says nothing new.
    EXPECT_TRUE(audit::SealContent(keys, Tenant(), "2099-01", "x").has_value());
    Run(written + (60 + 31) * kDay);
    ASSERT_TRUE(governor->Tick());
  }
  std::vector<std::string> certified;
  audit::VerifyOptions options;
  options.visit = [&](const audit::Record& record, std::string_view, const audit::Hash&) {
    if (record.event != "content.destroyed" || record.tenant != Tenant()) return;
    certified.push_back(record.fields.back().value);
  };
  const auto report = audit::VerifyLog(folder_ / "audit", std::move(options));
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->faults.empty());
  EXPECT_EQ(certified, (std::vector<std::string>{"1", "1"}));
}

TEST_P(RetentionTest, UsageAndActsGoWhenTheirTimeIsOver) {
  const int64_t begun = clock_.WallSeconds();
  const auto governor = OpenAudited();
  {
    auto ticket = Admit(*governor, key_.secret, Ask(10, 2));
    ASSERT_TRUE(ticket.has_value());
    ticket->meter()->Count(10, 0, 2);
  }
  ASSERT_TRUE(governor->Tick());
  Run(begun + 99 * kDay);
  EXPECT_EQ(Total().requests, 1);
  Run(begun + 101 * kDay);
  EXPECT_EQ(Total().requests, 0);
  const auto purged = ReadLatestActs(*database_, {.limit = 1}).value();
  EXPECT_EQ(purged[0].event, "usage.purged");
  EXPECT_EQ(purged[0].actor, "test");

  // An act that some server's log does not have yet stays, however old.
  ASSERT_TRUE(admin_->Stop("all", "", "drill"));
  Run(begun + 201 * kDay);
  EXPECT_THAT(Events(), testing::Contains("stop.started"));
  EXPECT_THAT(Events(), testing::Not(testing::Contains("organization.created")));
  ASSERT_TRUE(governor->Tick());
  Run(begun + 202 * kDay);
  EXPECT_THAT(Events(), testing::Not(testing::Contains("stop.started")));
}

}  // namespace
}  // namespace jikji::compliance
