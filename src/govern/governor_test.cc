// Budgets, limits and the ledger as a server uses them, on each kind of store.
#include "govern/governor.h"

#include <gmock/gmock.h>

#include <barrier>
#include <limits>
#include <thread>

#include "base/test_rounds.h"
#include "govern/testing/site.h"

namespace jikji {
namespace {

class GovernorTest : public Site {
 protected:
  static constexpr int64_t kCost = 10 * kPrices.input + 2 * kPrices.output;  // of Ask(10, 2)

  int64_t SetBudget(int64_t amount, Window window = Window::kMonth, bool hard = true,
                    ScopeKind kind = ScopeKind::kProject) {
    const int64_t id = kind == ScopeKind::kProject ? project_
                       : kind == ScopeKind::kKey   ? key_.id
                                                   : organisation_;
    const auto made = admin_->SetBudget({kind, id}, window, amount, hard);
    EXPECT_TRUE(made.has_value()) << made.error().ToString();
    return made.value_or(0);
  }
  void SetLimit(std::optional<int64_t> requests, std::optional<int64_t> tokens,
                std::optional<int64_t> concurrent, std::string model = "") {
    ASSERT_TRUE(admin_->SetLimit({{ScopeKind::kOrganisation, organisation_},
                                  std::move(model),
                                  requests,
                                  tokens,
                                  concurrent}));
  }
  // The engine ran it to the end.
  static void Use(Ticket ticket, int64_t output) {
    ticket.meter()->Count(ticket.prompt_tokens(), 0, 0);
    for (int64_t i = 0; i < output; ++i) ticket.meter()->Count(ticket.prompt_tokens(), 0, 1);
  }
  static std::string ReasonOf(const std::expected<Ticket, Refusal>& ticket) {
    return ticket ? "" : ticket.error().reason;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, GovernorTest, kEachStore, StoreName);

TEST_P(GovernorTest, WhatIsUsedIsWhatIsCharged) {
  const auto governor = Open();
  {
    auto ticket = Admit(*governor, key_.secret, Ask(100, 50));
    ASSERT_TRUE(ticket.has_value());
    EXPECT_EQ(ticket->max_output_tokens(), 50);
    EXPECT_EQ(ticket->prompt_tokens(), 100);
    ticket->meter()->Count(100, 40, 0);
    for (int i = 0; i < 7; ++i) ticket->meter()->Count(100, 40, 1);
  }
  // Never began; and cut off after the prompt.
  { auto ticket = Admit(*governor, key_.secret, Ask(100, 50)); }
  Use(*Admit(*governor, key_.secret, Ask(20, 50)), 0);
  ASSERT_TRUE(governor->Tick());
  const UsageRow total = Total();
  EXPECT_EQ(total.requests, 2);
  EXPECT_EQ(total.tokens, (Tokens{120, 40, 7}));
  EXPECT_EQ(total.cost, 60 * 10 + 40 * 5 + 7 * 30 + 20 * 10);
  EXPECT_EQ(governor->ledger().unfinished(), 0u);
}

TEST_P(GovernorTest, TenantsShareNoPages) {
  const MadeKey other = AddKey({.project = admin_->AddProject(organisation_, "other", {}).value()});
  const auto governor = Open();
  AdmissionRequest request = Ask(1, 1);
  request.cache_salt = "mine";
  const auto a = Admit(*governor, key_.secret, request);
  const auto b = Admit(*governor, other.secret, request);
  EXPECT_NE(a->cache_salt(), b->cache_salt());
  EXPECT_NE(a->tenant(), b->tenant());
  EXPECT_EQ(a->cache_salt(), Admit(*governor, key_.secret, request)->cache_salt());
}

// The output is cut to what the rest buys; what is not used comes back.
TEST_P(GovernorTest, AHardBudgetClampsAndNeverOverspends) {
  SetBudget(1000);  // nano-won: 10 of prompt cost 100, then 30 tokens
  const auto governor = Open();
  {
    const auto first = Admit(*governor, key_.secret, Ask(10, 100));
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->max_output_tokens(), 30);
    EXPECT_EQ(ReasonOf(Admit(*governor, key_.secret, Ask(10, 100))),
              "project_spend_limit_exceeded");
  }
  auto second = Admit(*governor, key_.secret, Ask(10, 100));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->max_output_tokens(), 30);
  Use(std::move(*second), 5);  // 250
  const auto third = Admit(*governor, key_.secret, Ask(10, 100, 4));
  ASSERT_TRUE(third.has_value());
  EXPECT_EQ(third->max_output_tokens(), 20);  // 650 buys 21; a multiple of the choices
  const auto refused = Admit(*governor, key_.secret, Ask(10, 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(refused.error().retry_after.has_value());  // waiting does not help
  // Scoring a prompt needs no output.
  EXPECT_TRUE(Admit(*governor, key_.secret, Ask(3, 0)).has_value());
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(6, 0)).has_value());
}

TEST_P(GovernorTest, ABudgetTakenAwayBoundsNothingAndComesBackWithWhatWasSpent) {
  SetBudget(1000);
  const Scope scope{ScopeKind::kProject, project_};
  const auto governor = Open();
  Use(*Admit(*governor, key_.secret, Ask(10, 100)), 30);
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 1)).has_value());
  EXPECT_EQ(admin_->RemoveBudget(scope, Window::kDay).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(admin_->RemoveBudget(scope, Window::kMonth));
  EXPECT_EQ(admin_->RemoveBudget(scope, Window::kMonth).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(governor->Tick());
  auto free = Admit(*governor, key_.secret, Ask(10, 100));
  ASSERT_TRUE(free.has_value());
  EXPECT_EQ(free->max_output_tokens(), 100);
  Use(std::move(*free), 5);
  ASSERT_TRUE(governor->Tick());
  // 1,000 and 250 are spent, so 750 are left: 100 for the prompt, and 21 tokens.
  SetBudget(2000);
  ASSERT_TRUE(governor->Tick());
  const auto bounded = Admit(*governor, key_.secret, Ask(10, 100));
  ASSERT_TRUE(bounded.has_value());
  EXPECT_EQ(bounded->max_output_tokens(), 21);
}

TEST_P(GovernorTest, TheTightestOfThreeLevelsDecides) {
  SetBudget(10'000, Window::kMonth, true, ScopeKind::kOrganisation);
  SetBudget(1'000, Window::kDay, true, ScopeKind::kProject);
  SetBudget(400, Window::kHour, true, ScopeKind::kKey);
  const auto governor = Open();
  auto ticket = Admit(*governor, key_.secret, Ask(10, 100));
  EXPECT_EQ(ticket->max_output_tokens(), 10);
  Use(std::move(*ticket), 10);
  EXPECT_EQ(ReasonOf(Admit(*governor, key_.secret, Ask(1, 1))), "key_spend_limit_exceeded");
  const MadeKey sibling = AddKey();
  ASSERT_TRUE(governor->Tick());
  auto other = Admit(*governor, sibling.secret, Ask(10, 100));
  EXPECT_EQ(other->max_output_tokens(), 16);  // 600 of the project's day
  Use(std::move(*other), 16);
  EXPECT_EQ(ReasonOf(Admit(*governor, sibling.secret, Ask(10, 1))), "project_spend_limit_exceeded");
}

// A thousand threads at one barrier, a budget for k: exactly k are let in, whatever they do then.
TEST_P(GovernorTest, ExactlyAsManyAsTheBudgetBuys) {
  constexpr int kClients = 1000;
  constexpr int64_t kAffordable = 137;
  SetBudget(kAffordable * kCost);
  SetBudget(5'000 * kCost, Window::kHour, true, ScopeKind::kOrganisation);
  const auto governor = Open();
  std::atomic<int64_t> admitted = 0, refused = 0;
  std::barrier start(kClients), decided(kClients);
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&, i] {
        start.arrive_and_wait();
        auto ticket = Admit(*governor, key_.secret, Ask(10, 2));
        ++(ticket ? admitted : refused);
        decided.arrive_and_wait();
        if (!ticket) {
          EXPECT_EQ(ticket.error().reason, "project_spend_limit_exceeded");
          return;
        }
        EXPECT_EQ(ticket->max_output_tokens(), 2);
        // Streaming, cancelled and failed requests mixed.
        if (i % 3 != 0) Use(std::move(*ticket), i % 3);
      });
    }
  }
  EXPECT_EQ(admitted.load(), kAffordable);
  EXPECT_EQ(refused.load(), kClients - kAffordable);
  ASSERT_TRUE(governor->Tick());
  EXPECT_LE(Total().cost, kAffordable * kCost);
}

// Several servers over one store: the same, by slices.
TEST_P(GovernorTest, ServersShareABudgetExactly) {
  constexpr int kServers = 4, kClients = 100;
  constexpr int64_t kAffordable = 90;
  const int64_t budget = SetBudget(kAffordable * kCost);
  std::vector<std::unique_ptr<Governor>> servers;
  for (int s = 0; s < kServers; ++s) servers.push_back(Open("journal" + std::to_string(s)));
  std::atomic<int64_t> admitted = 0;
  std::barrier start(kServers * kClients);
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kServers * kClients; ++i) {
      clients.emplace_back([&, i] {
        Governor& governor = *servers[static_cast<size_t>(i % kServers)];
        start.arrive_and_wait();
        auto ticket = Admit(governor, key_.secret, Ask(10, 2));
        if (!ticket) {
          EXPECT_EQ(ticket.error().reason, "project_spend_limit_exceeded")
              << ticket.error().message;
          return;
        }
        ++admitted;
        Use(std::move(*ticket), 2);
      });
    }
  }
  EXPECT_EQ(admitted.load(), kAffordable);
  for (const auto& server : servers) ASSERT_TRUE(server->Tick());
  EXPECT_EQ(Total().cost, kAffordable * kCost);
  const auto slices = database_->Run(
      "SELECT CAST(SUM(granted) AS BIGINT), CAST(SUM(settled) AS BIGINT) FROM budget_slices "
      "WHERE budget = $1",
      {budget});
  EXPECT_EQ(slices->Int(0, 0), kAffordable * kCost);
  EXPECT_EQ(slices->Int(0, 1), kAffordable * kCost);
}

TEST_P(GovernorTest, ARestartKnowsWhatWasSpent) {
  SetBudget(10 * kCost);
  for (int round = 0; round < 5; ++round) {
    const auto governor = Open();
    Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
    Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  }
  const auto governor = Open();
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
  EXPECT_EQ(Total().cost, 10 * kCost);
}

TEST_P(GovernorTest, ABudgetCountsWhatWasSpentBeforeIt) {
  const auto governor = Open();
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  ASSERT_TRUE(governor->Tick());
  SetBudget(3 * kCost);
  ASSERT_TRUE(governor->Tick());
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
}

TEST_P(GovernorTest, AChangedAmountHoldsAtOnce) {
  SetBudget(100 * kCost);
  const auto governor = Open();
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  SetBudget(2 * kCost);
  ASSERT_TRUE(governor->Tick());
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
  SetBudget(3 * kCost);
  ASSERT_TRUE(governor->Tick());
  EXPECT_TRUE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
  SetBudget(0);
  ASSERT_TRUE(governor->Tick());
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
}

// The month ends in Korea; a clock that steps back finds the old month as it was left.
TEST_P(GovernorTest, MonthEndAndAClockThatStepsBack) {
  const int64_t december = ParseDay("2026-12-01").value();
  clock_.wall = december - 1;
  SetBudget(2 * kCost);
  const auto governor = Open();
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  auto over_midnight = Admit(*governor, key_.secret, Ask(10, 2));
  ASSERT_TRUE(over_midnight.has_value());
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
  clock_.Advance(1);
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  // It belongs to November, when it was let in.
  Use(std::move(*over_midnight), 0);
  Use(*Admit(*governor, key_.secret, Ask(10, 2)), 2);
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
  clock_.wall = december - 3600;
  const auto rest = Admit(*governor, key_.secret, Ask(3, 2));
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->max_output_tokens(), 1);  // 60 of November were given back
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(3, 2)).has_value());
  clock_.wall = december + 3600;
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(10, 2)).has_value());
}

TEST_P(GovernorTest, ASoftBudgetWarnsAndLetsIn) {
  SetBudget(kCost, Window::kMonth, /*hard=*/false);
  const auto governor = Open();
  const auto caller = governor->Authenticate(key_.secret, "", Right::kInfer).value();
  Use(*caller->Admit(Ask(10, 2)), 2);
  EXPECT_FALSE(caller->status().over_soft_budget.has_value());
  ASSERT_TRUE(governor->Tick());
  EXPECT_TRUE(caller->Admit(Ask(10, 2)).has_value());
  EXPECT_EQ(caller->status().over_soft_budget, ScopeKind::kProject);
}

TEST_P(GovernorTest, AModelWithoutAPriceIsForNoBudget) {
  const auto governor = Open();
  AdmissionRequest request = Ask(10, 2);
  request.model = "free";
  EXPECT_TRUE(Admit(*governor, key_.secret, request).has_value());
  SetBudget(1'000'000);
  ASSERT_TRUE(governor->Tick());
  EXPECT_EQ(ReasonOf(Admit(*governor, key_.secret, request)), "price_missing");
}

TEST_P(GovernorTest, CostsBeyondCountingAreRefused) {
  ASSERT_TRUE(admin_->SetPrice("dear", "KRW", 0, {1, 1, std::numeric_limits<int64_t>::max()}));
  SetBudget(std::numeric_limits<int64_t>::max());
  const auto governor = Open();
  AdmissionRequest request = Ask(10, 2);
  request.model = "dear";
  EXPECT_EQ(Admit(*governor, key_.secret, request).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Admit(*governor, key_.secret, Ask(-1, 2)).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(GovernorTest, RatesAreIndependentAndSayWhenToComeBack) {
  SetLimit(3, 100, std::nullopt);
  const auto governor = Open();
  const auto caller = governor->Authenticate(key_.secret, "", Right::kInfer).value();
  Use(*caller->Admit(Ask(10, 20)), 5);
  ASSERT_TRUE(caller->status().requests && caller->status().tokens);
  EXPECT_EQ(caller->status().requests->remaining, 2);
  EXPECT_EQ(caller->status().tokens->limit, 100);
  EXPECT_EQ(caller->status().tokens->remaining, 70);
  const auto refused = caller->Admit(Ask(80, 10));  // 85 are left once the first was settled
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, "rate_limit_exceeded");
  EXPECT_EQ(refused.error().retry_after, 3);  // 5 tokens at 100 a minute
  EXPECT_EQ(caller->status().tokens->remaining, 85);
  clock_.steady += 3'000'000;
  EXPECT_TRUE(caller->Admit(Ask(80, 10)).has_value());
  EXPECT_TRUE(caller->Admit(Ask(1, 1)).has_value());
  // Requests are used up, tokens are not.
  const auto third = caller->Admit(Ask(1, 1));
  ASSERT_FALSE(third.has_value());
  EXPECT_GE(third.error().retry_after.value_or(0), 1);
  // More than a minute's worth: cut to what fits, or never.
  clock_.steady += 60'000'000;
  EXPECT_EQ(caller->Admit(Ask(10, 5000))->max_output_tokens(), 90);
  clock_.steady += 60'000'000;
  EXPECT_FALSE(caller->Admit(Ask(101, 1)).error().retry_after.has_value());
}

TEST_P(GovernorTest, AWallClockThatStepsRefillsNoRate) {
  SetLimit(1, std::nullopt, std::nullopt);
  const auto governor = Open();
  EXPECT_TRUE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
  clock_.wall += 86'400;
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
  clock_.wall -= 2 * 86'400;
  EXPECT_FALSE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
}

TEST_P(GovernorTest, ConcurrentRequestsAndLimitsOfOneModel) {
  SetLimit(std::nullopt, std::nullopt, 2);
  SetLimit(1, std::nullopt, std::nullopt, "other");
  const auto governor = Open();
  auto first = Admit(*governor, key_.secret, Ask(1, 1));
  auto second = Admit(*governor, key_.secret, Ask(1, 1));
  const auto third = Admit(*governor, key_.secret, Ask(1, 1));
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().retry_after, 1);
  Use(std::move(*first), 1);
  EXPECT_TRUE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
  AdmissionRequest request = Ask(1, 1);
  request.model = "other";
  EXPECT_TRUE(Admit(*governor, key_.secret, request).has_value());
  EXPECT_FALSE(Admit(*governor, key_.secret, request).has_value());
}

// A thousand at once on a limit of k: exactly k.
TEST_P(GovernorTest, ALimitOfConcurrencyIsExact) {
  constexpr int kClients = 300;
  SetLimit(std::nullopt, std::nullopt, 41);
  const auto governor = Open();
  std::atomic<int> admitted = 0;
  std::barrier start(kClients), decided(kClients);
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&] {
        start.arrive_and_wait();
        const auto ticket = Admit(*governor, key_.secret, Ask(1, 1));
        admitted += ticket.has_value();
        decided.arrive_and_wait();
      });
    }
  }
  EXPECT_EQ(admitted.load(), 41);
}

TEST_P(GovernorTest, StopsHoldForWhatTheyName) {
  const auto governor = Open();
  const std::pair<std::string, std::string> stops[] = {
      {"all", ""}, {"organisation", std::to_string(organisation_)}, {"model", kModel}};
  for (const auto& [kind, name] : stops) {
    ASSERT_TRUE(admin_->Stop(kind, name, "drill"));
    ASSERT_TRUE(governor->Tick());
    const auto refused = Admit(*governor, key_.secret, Ask(1, 1));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().reason, "emergency_stop");
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    ASSERT_TRUE(admin_->Resume(kind, name));
    ASSERT_TRUE(governor->Tick());
    EXPECT_TRUE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
  }
  ASSERT_TRUE(admin_->Stop("model", "another", "drill"));
  ASSERT_TRUE(governor->Tick());
  EXPECT_TRUE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
}

}  // namespace
}  // namespace jikji
