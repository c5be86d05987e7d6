// The routes under governance: who is refused, with what words, and that the engine hears of none
// of it; what is counted when an answer ends, is cut off or fails.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/governed_site.h"
#include "api/rate_headers.h"

namespace jikji {
namespace {

using GovernedTest = GovernedSite;
INSTANTIATE_TEST_SUITE_P(Stores, GovernedTest, kEachStore, StoreName);

// The route table × what can be wrong with a key: the engine is never called.
TEST_P(GovernedTest, TheSweep) {
  NewKey wanted;
  const MadeKey revoked = AddKey();
  wanted.expires_at = clock_.WallSeconds() + 10;
  const MadeKey expired = AddKey(wanted);
  wanted = {};
  wanted.models = {"another"};
  const MadeKey wrong_model = AddKey(wanted);
  wanted = {};
  wanted.networks = "10.0.0.0/8";
  const MadeKey wrong_network = AddKey(wanted);
  wanted = {};
  wanted.role = Role::kViewer;
  const MadeKey viewer = AddKey(wanted);
  wanted = {};
  wanted.role = Role::kAdministrator;
  wanted.organisation = organisation_;
  const MadeKey administrator = AddKey(wanted);
  wanted = {};
  wanted.role = Role::kOperator;
  const MadeKey site_operator = AddKey(wanted);
  ASSERT_TRUE(admin_->SetOrganisationGrade(organisation_, Grade::kSensitive));
  wanted = {};
  wanted.grade = Grade::kSensitive;
  const MadeKey wrong_grade = AddKey(wanted);
  const MadeKey poor = AddKey();
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kKey, poor.id}, Window::kMonth, 1, true));
  const MadeKey slow = AddKey();
  ASSERT_TRUE(admin_->SetLimit({{ScopeKind::kKey, slow.id}, "", 0, std::nullopt, std::nullopt}));
  const int64_t project = admin_->AddProject(organisation_, "closed", {}).value();
  wanted = {};
  wanted.project = project;
  const MadeKey archived = AddKey(wanted);
  ASSERT_TRUE(admin_->Archive(ScopeKind::kProject, project));
  const int64_t stopped_organisation = admin_->AddOrganisation("stopped", "KRW").value();
  wanted = {};
  wanted.project = admin_->AddProject(stopped_organisation, "p", {}).value();
  const MadeKey stopped = AddKey(wanted);
  ASSERT_TRUE(admin_->Stop("organisation", std::to_string(stopped_organisation), "drill"));
  ASSERT_TRUE(admin_->RevokeKey(revoked.id));
  clock_.Advance(10);
  ASSERT_TRUE(governor_->Tick());

  struct Case {
    const char* what;
    std::string secret;
    // Of generation, of text tools, and of all other routes that ask for a key; 200: let through.
    int generation, text_tool, other;
    const char* code;
  };
  const Case cases[] = {
      {"no key", "", 401, 401, 401, "invalid_api_key"},
      {"nonsense", "sk-1234", 401, 401, 401, "invalid_api_key"},
      {"unknown", MakeApiKey(KeyShape::kJikji).value(), 401, 401, 401, "invalid_api_key"},
      {"revoked", revoked.secret, 401, 401, 401, "invalid_api_key"},
      {"expired", expired.secret, 401, 401, 401, "invalid_api_key"},
      {"archived", archived.secret, 401, 401, 401, "invalid_api_key"},
      {"wrong network", wrong_network.secret, 403, 403, 403, "ip_not_authorized"},
      {"wrong model", wrong_model.secret, 404, 404, 200, "model_not_found"},
      {"wrong grade", wrong_grade.secret, 403, 403, 200, "grade_not_allowed"},
      {"viewer", viewer.secret, 403, 403, 200, "insufficient_permissions"},
      {"administrator", administrator.secret, 403, 403, 200, "insufficient_permissions"},
      {"operator", site_operator.secret, 403, 403, 200, "insufficient_permissions"},
      {"over budget", poor.secret, 429, 200, 200, "key_spend_limit_exceeded"},
      {"over limit", slow.secret, 429, 429, 200, "rate_limit_exceeded"},
      {"stopped", stopped.secret, 503, 503, 200, "emergency_stop"},
  };
  for (const Case& wrong : cases) {
    for (const Route& route : Routes()) {
      if (route.right == Right::kNone) continue;
      const auto answer = Ask(wrong.secret, route);
      ASSERT_TRUE(answer->ended) << wrong.what << " " << route.path;
      const int status = answer->head.status;
      const int expected = route.ticket == TicketKind::kGeneration ? wrong.generation
                           : route.ticket == TicketKind::kTextTool ? wrong.text_tool
                                                                   : wrong.other;
      if (route.ticket == TicketKind::kNone && expected == 200) continue;  // rights: see below
      EXPECT_EQ(status, expected) << wrong.what << " " << route.path;
      if (status != 200) {
        EXPECT_EQ(CodeOf(*answer), wrong.code) << route.path;
        EXPECT_EQ(answer->Header("Retry-After"), "") << wrong.what;  // waiting helps none of them
      }
    }
  }
  EXPECT_EQ(server_->engine.calls, 0);
  EXPECT_EQ(server_->issuer.asked, 0);
  EXPECT_EQ(governor_->ledger().unfinished(), 0u);
}

// Role × route, as a table that a person can check.
TEST_P(GovernedTest, RolesAndRoutes) {
  NewKey wanted;
  wanted.role = Role::kViewer;
  const MadeKey viewer = AddKey(wanted);
  wanted = {};
  wanted.role = Role::kAdministrator;
  wanted.organisation = organisation_;
  const MadeKey administrator = AddKey(wanted);
  wanted = {};
  wanted.role = Role::kOperator;
  const MadeKey site_operator = AddKey(wanted);
  ASSERT_TRUE(governor_->Tick());
  const auto may = [&](const std::string& secret, const char* method, const char* path) {
    const int status = Ask(secret, method, path, "{}")->head.status;
    EXPECT_TRUE(status == 403 || status == 200 || status == 400 || status == 404) << status;
    return status != 403;
  };
  const std::string* secrets[] = {&key_.secret, &viewer.secret, &administrator.secret,
                                  &site_operator.secret};
  const std::tuple<const char*, const char*, const char*> rows[] = {
      // member, viewer, administrator, operator
      {"GET", "/health", "xxxx"},
      {"GET", "/version", "xxxx"},
      {"GET", "/metrics", "---x"},
      {"GET", "/v1/models", "xxxx"},
      {"POST", "/v1/chat/completions", "x---"},
      {"POST", "/v1/completions", "x---"},
      {"POST", "/tokenize", "x---"},
      {"POST", "/detokenize", "x---"},
      {"GET", "/v1/organization/projects", "--xx"},
      {"POST", "/v1/organization/projects", "--xx"},
      {"GET", "/v1/organization/projects/proj_1", "--xx"},
      {"POST", "/v1/organization/projects/proj_1/service_accounts", "--xx"},
      {"DELETE", "/v1/organization/projects/proj_1/api_keys/key_99", "--xx"},
      {"GET", "/v1/organization/usage/completions", "-xxx"},
      {"GET", "/v1/organization/costs", "-xxx"},
      {"GET", "/v1/organization/audit_logs", "--xx"},
  };
  for (const auto& [method, path, expected] : rows) {
    std::string row;
    for (const std::string* secret : secrets) row += may(*secret, method, path) ? 'x' : '-';
    EXPECT_EQ(row, expected) << path;
  }
}

TEST_P(GovernedTest, AnAnswerIsChargedByTheEnginesCount) {
  const auto answer = Post(kCompletion);
  ASSERT_EQ(server_->engine.submitted.size(), 1u);
  EXPECT_EQ(server_->engine.submitted[0].prompt_tokens, 3);
  server_->Say(0, "xy");
  server_->End(0, 2);
  EXPECT_EQ(answer->head.status, 200);
  ASSERT_TRUE(governor_->Tick());
  const UsageRow total = Total();
  EXPECT_EQ(total.tokens, (Tokens{3, 0, 2}));
  EXPECT_EQ(total.cost, 3 * kPrices.input + 2 * kPrices.output);
}

// A client that goes away mid-stream pays for what was made.
TEST_P(GovernedTest, ACutStreamIsCharged) {
  const auto answer = Post(R"({"prompt":"hi","max_tokens":9,"stream":true})");
  server_->Say(0, "abcde");
  answer->gone();
  EXPECT_EQ(server_->engine.cancelled.size(), 1u);
  server_->Say(0, "f");  // the step that was under way
  server_->End(0, 6, FinishReason::kCancelled);
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Total().tokens, (Tokens{3, 0, 6}));
  EXPECT_EQ(governor_->ledger().unfinished(), 0u);
}

// An emergency stop ends what runs, whole or streamed, of those it is about and of nobody else.
TEST_P(GovernedTest, AStopEndsAnswersUnderWay) {
  NewKey wanted;
  const int64_t other = admin_->AddOrganisation("구청", "KRW").value();
  wanted.project = admin_->AddProject(other, "p", {}).value();
  const MadeKey neighbour = AddKey(wanted);
  ASSERT_TRUE(governor_->Tick());
  const std::string streamed = R"({"prompt":"hi","max_tokens":9,"stream":true})";
  const auto stream = Post(streamed);
  const auto whole = Post(kCompletion);
  const auto theirs = Ask(neighbour.secret, "POST", "/v1/completions", streamed);
  for (size_t i = 0; i < 3; ++i) server_->Say(i, "abc");

  ASSERT_TRUE(admin_->Stop("organisation", std::to_string(organisation_), "drill"));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_TRUE(stream->ended);
  const auto events = stream->Events();
  ASSERT_GE(events.size(), 2u);
  EXPECT_EQ(events.back(), "[DONE]");
  const auto error = FakeResponder::Parse(events[events.size() - 2]).at("error");
  EXPECT_EQ(error.at("code"), "emergency_stop");
  EXPECT_EQ(error.at("message"), "stopped by the operator: drill");
  EXPECT_EQ(whole->head.status, 503);
  EXPECT_EQ(CodeOf(*whole), "emergency_stop");
  EXPECT_FALSE(theirs->ended);
  EXPECT_EQ(server_->engine.cancelled,
            (std::vector<std::string>{server_->engine.submitted[0].request.id,
                                      server_->engine.submitted[1].request.id}));
  // What was made until then is paid for; what the engine still says is heard by nobody.
  const std::string before = stream->stream;
  server_->Say(0, "d");
  server_->End(0, 4, FinishReason::kCancelled);
  server_->End(1, 3, FinishReason::kCancelled);
  EXPECT_EQ(stream->stream, before);
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Total().tokens, (Tokens{6, 0, 7}));

  ASSERT_TRUE(admin_->Stop("model", "fake", "drill"));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_TRUE(theirs->ended);
  server_->End(2, 3, FinishReason::kCancelled);
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(governor_->ledger().unfinished(), 0u);
}

TEST_P(GovernedTest, WhatTheEngineRefusesCostsNothing) {
  server_->engine.refuse_after = 0;
  EXPECT_EQ(Post(kCompletion)->head.status, 503);
  // Two prompts, of which the second finds no place.
  server_->engine.refuse_after = 1;
  EXPECT_EQ(Post(R"({"prompt":["a","b"],"max_tokens":4})")->head.status, 503);
  server_->End(0, 0, FinishReason::kCancelled);
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Total().tokens.output, 0);
  EXPECT_EQ(governor_->ledger().unfinished(), 0u);
}

TEST_P(GovernedTest, LimitsAreInTheHeaders) {
  ASSERT_TRUE(admin_->SetLimit({{ScopeKind::kProject, project_}, "", 2, 1000, std::nullopt}));
  ASSERT_TRUE(governor_->Tick());
  const auto first = Post(kCompletion);
  server_->Say(0, "xyz.");
  server_->End(0, 4, FinishReason::kLength);
  EXPECT_EQ(first->Header("x-ratelimit-limit-requests"), "2");
  EXPECT_EQ(first->Header("x-ratelimit-remaining-requests"), "1");
  EXPECT_EQ(first->Header("x-ratelimit-reset-requests"), "30s");
  EXPECT_EQ(first->Header("x-ratelimit-limit-tokens"), "1000");
  EXPECT_EQ(first->Header("x-ratelimit-remaining-tokens"), "993");
  Post(kCompletion);
  server_->End(1, 0);
  const auto refused = Post(kCompletion);
  EXPECT_EQ(refused->head.status, 429);
  EXPECT_EQ(refused->Json().at("error").at("type"), "rate_limit_error");
  EXPECT_EQ(CodeOf(*refused), "rate_limit_exceeded");
  EXPECT_EQ(refused->Header("Retry-After"), "30");
  EXPECT_EQ(refused->Header("x-ratelimit-remaining-requests"), "0");
}

TEST_P(GovernedTest, MoneyThatIsUsedUpIsInsufficientQuota) {
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kOrganisation, organisation_}, Window::kMonth,
                                3 * kPrices.input + 2 * kPrices.output, true));
  ASSERT_TRUE(governor_->Tick());
  Post(kCompletion);
  // Cut to what the rest buys.
  EXPECT_EQ(server_->engine.submitted[0].request.max_tokens, 2);
  const auto refused = Post(kCompletion);
  EXPECT_EQ(refused->head.status, 429);
  EXPECT_EQ(refused->Json().at("error").at("type"), "insufficient_quota");
  EXPECT_EQ(CodeOf(*refused), "organization_spend_limit_exceeded");
  EXPECT_EQ(server_->engine.calls, 1);
}

TEST_P(GovernedTest, AnothersModelIsAsIfItWereNotThere) {
  NewKey wanted;
  wanted.models = {"another"};
  const MadeKey blind = AddKey(wanted);
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Ask(blind.secret, "GET", "/v1/models", "")->Json().at("data").as_array().size(), 0u);
  EXPECT_EQ(Ask(key_.secret, "GET", "/v1/models", "")->Json().at("data").as_array().size(), 1u);
  const auto hidden = Ask(blind.secret, "GET", "/v1/models/fake", "");
  const auto absent = Ask(blind.secret, "GET", "/v1/models/none", "");
  EXPECT_EQ(hidden->head.status, 404);
  EXPECT_EQ(CodeOf(*hidden), CodeOf(*absent));
}

// OpenAI's administration, as an administrator drives it; and what another organisation sees of it.
TEST_P(GovernedTest, AnAdministratorRunsItsOrganisation) {
  NewKey wanted;
  wanted.role = Role::kAdministrator;
  wanted.organisation = organisation_;
  const MadeKey own = AddKey(wanted);
  wanted.organisation = admin_->AddOrganisation("도청", "KRW").value();
  const MadeKey stranger = AddKey(wanted);
  ASSERT_TRUE(governor_->Tick());
  const std::string projects = "/v1/organization/projects";

  const auto made = Ask(own.secret, "POST", projects, R"({"name":"new"})");
  ASSERT_EQ(made->head.status, 200) << made->head.body;
  const std::string id(made->Json().at("id").as_string());
  const std::string one = projects + "/" + id;
  EXPECT_EQ(Ask(own.secret, "GET", projects, "")->Json().at("data").as_array().size(), 2u);
  EXPECT_EQ(Ask(own.secret, "GET", one, "")->Json().at("name"), "new");
  EXPECT_EQ(Ask(own.secret, "POST", projects, R"({"name":"new"})")->head.status, 400);
  EXPECT_EQ(Ask(own.secret, "POST", projects, "{}")->head.status, 400);

  const auto account = Ask(own.secret, "POST", one + "/service_accounts", R"({"name":"bot"})");
  ASSERT_EQ(account->head.status, 200) << account->head.body;
  const std::string secret(account->Json().at("api_key").at("value").as_string());
  const std::string key(account->Json().at("api_key").at("id").as_string());
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Ask(secret, "GET", "/v1/models", "")->head.status, 200);
  const auto keys = Ask(own.secret, "GET", one + "/api_keys", "");
  EXPECT_EQ(keys->Json().at("data").at(0).at("id").as_string(), key);
  EXPECT_EQ(keys->head.body.find(secret), std::string::npos);

  // Another organisation finds nothing of it, by reading or by writing.
  EXPECT_EQ(Ask(stranger.secret, "GET", projects, "")->Json().at("data").as_array().size(), 0u);
  const std::pair<const char*, std::string> attempts[] = {{"GET", one},
                                                          {"GET", one + "/api_keys"},
                                                          {"POST", one + "/archive"},
                                                          {"POST", one + "/service_accounts"},
                                                          {"DELETE", one + "/api_keys/" + key}};
  for (const auto& [method, path] : attempts) {
    const auto answer = Ask(stranger.secret, method, path, R"({"name":"x"})");
    EXPECT_EQ(answer->head.status, 404) << path;
    EXPECT_EQ(answer->head.body,
              Ask(stranger.secret, method, projects + "/proj_99999", "{}")->head.body);
  }
  // A key is not found through a project that it does not belong to.
  EXPECT_EQ(
      Ask(own.secret, "DELETE", fmt::format("{}/proj_{}/api_keys/{}", projects, project_, key), "")
          ->head.status,
      404);

  EXPECT_EQ(Ask(own.secret, "DELETE", one + "/api_keys/" + key, "")->Json().at("deleted"), true);
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Ask(secret, "GET", "/v1/models", "")->head.status, 401);
  EXPECT_EQ(Ask(own.secret, "POST", one + "/archive", "")->Json().at("status"), "archived");
}

TEST_P(GovernedTest, UsageAndCostsAddUp) {
  for (size_t i = 0; i < 3; ++i) {
    Post(kCompletion);
    server_->Say(i, "xy");
    server_->End(i, 2);
    clock_.Advance(i == 1 ? 86'400 : 0);
    ASSERT_TRUE(governor_->Tick());  // a day without the store would be too long
  }
  NewKey wanted;
  wanted.role = Role::kAdministrator;
  wanted.organisation = organisation_;
  const MadeKey own = AddKey(wanted);
  wanted.organisation = admin_->AddOrganisation("도청", "KRW").value();
  const MadeKey stranger = AddKey(wanted);
  ASSERT_TRUE(governor_->Tick());
  const int64_t start = clock_.WallSeconds() - 2 * 86'400;
  const std::string range = fmt::format("?start_time={}&end_time={}", start, start + 3 * 86'400);
  const auto usage = Ask(own.secret, "GET",
                         "/v1/organization/usage/completions" + range +
                             "&group_by%5B%5D=model&group_by=project_id",
                         "")
                         ->Json();
  EXPECT_EQ(usage.at("object"), "page");
  EXPECT_EQ(usage.at("has_more"), false);
  int64_t requests = 0, output = 0;
  for (const auto& bucket : usage.at("data").as_array()) {
    for (const auto& result : bucket.at("results").as_array()) {
      requests += result.at("num_model_requests").as_int64();
      output += result.at("output_tokens").as_int64();
      EXPECT_EQ(result.at("model"), "fake");
      EXPECT_EQ(result.at("project_id").as_string(), fmt::format("proj_{}", project_));
      EXPECT_TRUE(result.at("api_key_id").is_null());
    }
  }
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(output, 6);
  const auto costs = Ask(own.secret, "GET", "/v1/organization/costs" + range, "");
  // Two requests on one day, one on the next: 90 nano-won each, as digits.
  EXPECT_THAT(costs->head.body, testing::HasSubstr(R"("value":0.00000018,"currency":"krw")"));
  EXPECT_THAT(costs->head.body, testing::HasSubstr(R"("value":0.00000009,"currency":"krw")"));
  EXPECT_THAT(Ask(stranger.secret, "GET", "/v1/organization/costs" + range, "")->head.body,
              testing::Not(testing::HasSubstr("organization.costs.result")));
  // Page by page.
  const auto page = Ask(own.secret, "GET", "/v1/organization/costs" + range + "&limit=1", "");
  EXPECT_EQ(page->Json().at("has_more"), true);
  const std::string next(page->Json().at("next_page").as_string());
  const auto second =
      Ask(own.secret, "GET", "/v1/organization/costs" + range + "&limit=1&page=" + next, "");
  EXPECT_EQ(second->Json().at("data").at(0).at("start_time").as_int64(), std::stoll(next));
  for (const char* bad : {"", "?start_time=x", "?start_time=1&bucket_width=1w",
                          "?start_time=1&group_by=user", "?start_time=1&limit=0"}) {
    EXPECT_EQ(Ask(own.secret, "GET", std::string("/v1/organization/costs") + bad, "")->head.status,
              400)
        << bad;
  }
}

TEST_P(GovernedTest, KeysOfTheCommandLineHaveNoPlaceBesideAStore) {
  ApiOptions options;
  options.governor = governor_.get();
  options.api_keys = {"k"};
  EXPECT_FALSE(Service::Create(server_->engine, server_->issuer, options).has_value());
}

TEST(RateHeaders, TimesAreAsClientsReadThem) {
  EXPECT_EQ(FormatReset(0), "0ms");
  EXPECT_EQ(FormatReset(12'000), "12ms");
  EXPECT_EQ(FormatReset(1), "1ms");
  EXPECT_EQ(FormatReset(1'500'000), "1.5s");
  EXPECT_EQ(FormatReset(59'999'000), "59.999s");
  EXPECT_EQ(FormatReset(360'000'000), "6m0s");
}

}  // namespace
}  // namespace jikji
