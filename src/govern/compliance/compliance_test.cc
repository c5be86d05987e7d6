#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "base/file.h"
#include "govern/compliance/duty.h"
#include "govern/compliance/facts.h"
#include "govern/ledger/calendar.h"
#include "govern/testing/site.h"

namespace jikji::compliance {
namespace {

using ::testing::HasSubstr;

std::string BuiltIn() {
  return ReadFile(std::string(JIKJI_SOURCE_DIR) + "/src/govern/data/duties.toml").value();
}

std::string OneDuty(std::string_view change = "") {
  return fmt::format(
      "[[duty]]\nid = \"a\"\nlaw = \"L\"\nlaw_ko = \"법\"\narticle = \"1\"\nfrom = \"2027-01-01\"\n"
      "text = \"t\"\ntext_ko = \"글\"\nfacts = [\"x\", \"y\"]\n{}",
      change);
}

TEST(DutyTest, TheBuiltInDutiesAreWhole) {
  const auto duties = ReadDuties(BuiltIn(), "duties.toml");
  ASSERT_TRUE(duties.has_value()) << duties.error().ToString();
  std::set<std::string> laws;
  for (const Duty& duty : *duties) laws.insert(duty.law);
  EXPECT_GE(duties->size(), 15u);
  EXPECT_GE(laws.size(), 5u);
}

TEST(DutyTest, WhatIsNoDutyIsRefused) {
  EXPECT_TRUE(ReadDuties(OneDuty(), "d").has_value());
  const std::string bad[] = {
      "[[duty]]\nid = \"a\"\n",  "x = 1\n" + OneDuty(), OneDuty("more = 1\n"),
      OneDuty() + OneDuty(),     "duty = 1\n",          "[[duty",
      "[[duty]]\nfacts = [1]\n", "duty = [1]\n"};
  for (const std::string& text : bad) EXPECT_FALSE(ReadDuties(text, "d").has_value()) << text;
  // Every prefix of a good text is refused or good, and nothing else.
  const std::string good = OneDuty();
  for (size_t i = 0; i < good.size(); ++i) (void)ReadDuties(good.substr(0, i), "d");
}

TEST(DutyTest, ADutyIsAsGoodAsItsWorstFactAndCountsFromItsDay) {
  const auto duties = ReadDuties(OneDuty(), "d").value();
  const int64_t day = ParseDay("2027-01-01").value();
  const auto judge = [&](State x, State y, int64_t now) {
    return Judge(duties, {{"x", x, "e"}, {"y", y, "f"}}, now)[0];
  };
  EXPECT_EQ(judge(State::kMet, State::kMet, day).state, State::kMet);
  EXPECT_EQ(judge(State::kMet, State::kPartly, day).state, State::kPartly);
  EXPECT_EQ(judge(State::kOpen, State::kMet, day).state, State::kOpen);
  EXPECT_TRUE(judge(State::kMet, State::kMet, day).in_force);
  EXPECT_FALSE(judge(State::kMet, State::kMet, day - 1).in_force);
  // What nobody gathered is open.
  EXPECT_EQ(Judge(duties, {{"x", State::kMet, "e"}}, day)[0].state, State::kOpen);
}

class FactsTest : public jikji::Site {
 protected:
  std::map<std::string, Fact> Gather(const compliance::Site& site) {
    const auto facts = GatherFacts(*database_, site);
    EXPECT_TRUE(facts.has_value());
    std::map<std::string, Fact> by_id;
    for (const Fact& fact : *facts) by_id[fact.id] = fact;
    return by_id;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, FactsTest, kEachStore, StoreName);

// Nothing set: open. Each setting and record moves its own fact.
TEST_P(FactsTest, FollowSettingsAndRecords) {
  compliance::Site site{.audit = {}, .guard = {}, .now = clock_.WallSeconds()};
  auto facts = Gather(site);
  const auto duties = ReadDuties(BuiltIn(), "duties.toml").value();
  for (const Duty& duty : duties) {
    for (const std::string& id : duty.facts) EXPECT_TRUE(facts.contains(id)) << id;
  }
  for (const char* open : {"access-log", "log-verifies", "prompt-guard", "output-guard",
                           "identifiers-blocked", "limits", "customer-files", "access-review"}) {
    EXPECT_EQ(facts[open].state, State::kOpen) << open;
  }
  EXPECT_EQ(facts["emergency-stop"].state, State::kPartly);
  EXPECT_EQ(facts["ai-mark"].state, State::kMet);

  ASSERT_TRUE(admin_->SetLimit({{ScopeKind::kKey, key_.id}, "", 5, {}, {}}));
  ASSERT_TRUE(admin_->Stop("all", "", "drill"));
  ASSERT_TRUE(admin_->Resume("all", ""));
  ASSERT_TRUE(admin_->RequireCustomerFiles(true));
  ASSERT_TRUE(admin_->NoteReview("november"));
  GovernorOptions options = Options();
  options.audit = folder_ / "audit";
  {
    const auto governor = Governor::Open(options).value();
    EXPECT_TRUE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
  }
  site.audit = folder_ / "audit";
  site.guard = guard::DefaultPolicy();
  facts = Gather(site);
  for (const char* met : {"access-log", "log-verifies", "log-kept", "prompt-guard", "output-guard",
                          "identifiers-blocked", "limits", "emergency-stop", "access-review"}) {
    EXPECT_EQ(facts[met].state, State::kMet) << met << facts[met].evidence;
  }
  EXPECT_EQ(facts["customer-files"].state, State::kPartly);
  EXPECT_THAT(facts["access-log"].evidence, HasSubstr("1 admissions"));
  // A log that was changed speaks for nothing.
  auto bytes = ReadFile(folder_ / "audit" / "records").value();
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(WriteFileAtomic(folder_ / "audit" / "records", bytes));
  EXPECT_EQ(Gather(site)["log-verifies"].state, State::kOpen);
  // A month later the review is due again, a year later the drill.
  site.now += 400 * 86'400;
  facts = Gather(site);
  EXPECT_EQ(facts["access-review"].state, State::kOpen);
  EXPECT_EQ(facts["emergency-stop"].state, State::kPartly);
}

}  // namespace
}  // namespace jikji::compliance
