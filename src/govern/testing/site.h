// For tests: a store with one organisation, project and key in it, and servers over it.
#ifndef JIKJI_GOVERN_TESTING_SITE_H_
#define JIKJI_GOVERN_TESTING_SITE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "govern/governor.h"
#include "govern/ledger/usage.h"
#include "govern/schema.h"
#include "govern/tenancy/administration.h"
#include "govern/testing/manual_clock.h"
#include "store/testing/each_store.h"

namespace jikji {

class Site : public EachStore {
 protected:
  static constexpr const char* kModel = "model";
  // Nano-won for a token.
  static constexpr Prices kPrices{.input = 10, .cached = 5, .output = 30};

  void SetUp() override {
    EachStore::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Found();
  }
  // Makes the site in the store at url_.
  void Found() {
    database_ = Connect();
    ASSERT_TRUE(MigrateGovernance(*database_));
    admin_ = std::make_unique<Administration>(*database_, hasher_, clock_, "test");
    organisation_ = admin_->AddOrganisation("시청", "KRW").value();
    project_ = admin_->AddProject(organisation_, "민원", {}).value();
    key_ = AddKey();
    ASSERT_TRUE(admin_->SetPrice(kModel, "KRW", 0, kPrices));
  }
  void TearDown() override {
    admin_.reset();
    database_.reset();
    EachStore::TearDown();
  }

  MadeKey AddKey(NewKey wanted = {}) {
    if (LevelOf(wanted.role) == Level::kProject && wanted.project == 0) wanted.project = project_;
    if (wanted.name.empty()) wanted.name = "key";
    const auto made = admin_->AddKey(wanted);
    EXPECT_TRUE(made.has_value()) << made.error().ToString();
    return made.value_or(MadeKey{});
  }

  GovernorOptions Options(const std::string& journal = "journal") {
    return {.store = url_,
            .pepper = kPepper,
            .journal = {folder_ / journal, 1000, 64},
            .clock = &clock_,
            .interval = std::chrono::milliseconds(0)};
  }
  // One server; it works when it is told to Tick.
  std::unique_ptr<Governor> Open(const std::string& journal = "journal") {
    auto opened = Governor::Open(Options(journal));
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    return opened ? std::move(*opened) : nullptr;
  }

  static AdmissionRequest Ask(int64_t prompt, int64_t output, int32_t choices = 1) {
    AdmissionRequest request;
    request.model = kModel;
    request.prompt_tokens = prompt;
    request.max_output_tokens = output;
    request.choices = choices;
    return request;
  }
  static std::expected<Ticket, Refusal> Admit(Governor& governor, const std::string& secret,
                                              const AdmissionRequest& request) {
    auto caller = governor.Authenticate(secret, "127.0.0.1:1", Right::kInfer);
    if (!caller) return std::unexpected(std::move(caller.error()));
    return (*caller)->Admit(request);
  }

  // Of everything that is in the store.
  UsageRow Total() {
    UsageRow total;
    EXPECT_TRUE(ReadUsage(*database_, {0, int64_t{1} << 40, 0, 0}, [&](const UsageRow& row) {
      total.requests += row.requests;
      total.tokens.input += row.tokens.input;
      total.tokens.cached += row.tokens.cached;
      total.tokens.output += row.tokens.output;
      total.cost += row.cost;
      EXPECT_EQ(row.cost, Cost(row.prices, row.tokens).value());
    }));
    return total;
  }

  const std::string kPepper = std::string(32, 'p');
  const KeyHasher hasher_ = KeyHasher::Create(kPepper).value();
  ManualClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Administration> admin_;
  int64_t organisation_ = 0, project_ = 0;
  MadeKey key_;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_TESTING_SITE_H_
