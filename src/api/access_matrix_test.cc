// Who may do what, down to the field, and that no organisation reaches into another.
//
// The matrix of roles, endpoints and fields is a golden file made from the running routes and
// compared byte for byte: a route, a right or a field that is added shows up in its diff, for a
// person to judge. JIKJI_WRITE_GOLDEN=1 writes it anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "api/governed_site.h"
#include "base/file.h"

namespace jikji {
namespace {

using boost::json::value;

constexpr const char* kProjects = "/v1/organization/projects";

struct Asked {
  std::string method, path, body;
};

// Every path to a value: "data[].name".
void GatherFields(const value& json, const std::string& path, std::set<std::string>& fields) {
  if (json.is_object() && !json.get_object().empty()) {
    for (const auto& [name, inner] : json.get_object()) {
      GatherFields(inner, path.empty() ? std::string(name) : path + "." + std::string(name),
                   fields);
    }
  } else if (json.is_array() && !json.get_array().empty()) {
    for (const value& inner : json.get_array()) GatherFields(inner, path + "[]", fields);
  } else {
    fields.insert(path);
  }
}

class AccessMatrixTest : public GovernedSite {
 protected:
  MadeKey KeyOf(Role role, int64_t organisation) {
    NewKey wanted;
    wanted.role = role;
    if (LevelOf(role) == Level::kOrganisation) wanted.organisation = organisation;
    return AddKey(wanted);
  }

  // "200" and the fields of the answer, or the status and code of the error.
  std::string Shown(const std::string& secret, const Asked& asked) {
    const auto answer = Ask(secret, asked.method, asked.path, asked.body);
    EXPECT_TRUE(answer->ended) << asked.method << " " << asked.path;
    std::string line = std::to_string(answer->head.status);
    if (answer->head.status != 200) {
      const std::string code = CodeOf(*answer);
      return code.empty() ? line : line + " " + code;
    }
    const auto json = ParseJson(answer->head.body);
    if (!json) return line + " (text)";
    std::set<std::string> fields;
    GatherFields(*json, "", fields);
    for (const std::string& field : fields) line += "\n    " + (field.empty() ? "{}" : field);
    return line;
  }

  // What of each role's request comes through.
  std::string Row(const Asked& asked, std::initializer_list<std::string> secrets) {
    constexpr const char* kNames[] = {"no key", "member", "viewer", "administrator", "operator"};
    std::string out = fmt::format("{} {}{}{}\n", asked.method, asked.path,
                                  asked.body.empty() ? "" : " ", asked.body);
    const char* const* name = kNames;
    for (const std::string& secret : secrets) {
      out += fmt::format("  {}: {}\n", *name++, Shown(secret, asked));
    }
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, AccessMatrixTest, kEachStore, StoreName);

TEST_P(AccessMatrixTest, IsTheGolden) {
  server_->engine.at_once = [](FakeEngine::Submitted& submitted) {
    Delta delta = FakeServer::Spoken(submitted.request, "x");
    delta.finish = FinishReason::kStop;
    delta.prompt_tokens = submitted.prompt_tokens;
    delta.output_tokens = 1;
    submitted.sink(std::move(delta));
  };
  const std::string member = key_.secret;
  const std::string viewer = KeyOf(Role::kViewer, 0).secret;
  const std::string administrator = KeyOf(Role::kAdministrator, organisation_).secret;
  const std::string site_operator = KeyOf(Role::kOperator, 0).secret;
  ASSERT_TRUE(governor_->Tick());

  const std::string one = fmt::format("{}/proj_{}", kProjects, project_);
  const std::string today =
      fmt::format("?start_time={}&limit=1", clock_.WallSeconds() / 86'400 * 86'400);
  // So that usage and costs have something to show.
  Ask(member, "POST", "/v1/completions", kCompletion);
  ASSERT_TRUE(governor_->Tick());
  const std::vector<Asked> requests = {
      {"GET", "/health", ""},
      {"GET", "/version", ""},
      {"GET", "/metrics", ""},
      {"GET", "/v1/models", ""},
      {"GET", "/v1/models/fake", ""},
      {"POST", "/v1/chat/completions", kChat},
      {"POST", "/v1/completions", kCompletion},
      {"POST", "/tokenize", R"({"prompt":"hi"})"},
      {"POST", "/detokenize", R"({"tokens":[1]})"},
      {"GET", kProjects, ""},
      {"POST", kProjects, R"({"name":"new"})"},
      {"GET", one, ""},
      {"GET", one + "/api_keys", ""},
      {"POST", one + "/service_accounts", R"({"name":"bot"})"},
      {"POST", one + "/spend_limits", R"({"amount":"5","window":"day"})"},
      {"GET", one + "/spend_limits", ""},
      {"DELETE", one + "/spend_limits/day", ""},
      {"GET", "/v1/organization/usage/completions" + today, ""},
      {"GET", "/v1/organization/costs" + today, ""},
      {"GET", "/v1/organization/audit_logs", ""},
      {"GET", "/login", ""},
      {"GET", "/login/callback", ""},
      {"POST", "/logout", ""},
      {"DELETE", one + "/api_keys/key_1", ""},
      {"POST", one + "/archive", ""},
  };
  std::string matrix;
  std::set<const Route*> covered;
  for (const Asked& asked : requests) {
    covered.insert(FindRoute(asked.method, asked.path.substr(0, asked.path.find('?'))).route);
    // A member's key is revoked and its project archived on the way: each stands in the file.
    matrix += Row(asked, {"", member, viewer, administrator, site_operator});
    ASSERT_TRUE(governor_->Tick());
  }
  for (const Route& route : Routes()) {
    EXPECT_TRUE(covered.contains(&route)) << route.method << " " << route.path;
  }

  const std::string path = std::string(JIKJI_SOURCE_DIR) + "/tests/goldens/api/access_matrix.txt";
  if (std::getenv("JIKJI_WRITE_GOLDEN") != nullptr) {
    ASSERT_TRUE(WriteFileAtomic(path, matrix));
  }
  const auto golden = ReadFile(path);
  ASSERT_TRUE(golden.has_value()) << golden.error().ToString();
  EXPECT_EQ(matrix, *golden);
}

// What a body asks for beyond its fields is not given: a key that is made has no more than its
// maker may give, whatever else it is asked to have.
TEST_P(AccessMatrixTest, FieldsThatAreNotOnesToSetChangeNothing) {
  const std::string administrator = KeyOf(Role::kAdministrator, organisation_).secret;
  const int64_t other = admin_->AddOrganisation("도청", "KRW").value();
  const int64_t others = admin_->AddProject(other, "p", {}).value();
  ASSERT_TRUE(governor_->Tick());
  const std::string fields[] = {R"("role":"operator")",
                                R"("role":"administrator")",
                                R"("allowed_routes":["/*"])",
                                R"("rights":63)",
                                R"("grade":"C")",
                                R"("id":1)",
                                R"("networks":"0.0.0.0/0")",
                                R"("service_account":1)",
                                fmt::format(R"("organisation":{})", other),
                                fmt::format(R"("organization_id":"org-{}")", other),
                                fmt::format(R"("project":{})", others),
                                fmt::format(R"("project_id":"proj_{}")", others)};
  int number = 0;
  for (const std::string& field : fields) {
    const std::string body = fmt::format(R"({{"name":"n{}",{}}})", ++number, field);
    const auto made = Ask(administrator, "POST", kProjects, body);
    ASSERT_EQ(made->head.status, 200) << field;
    const std::string id(made->Json().at("id").as_string());
    const auto account =
        Ask(administrator, "POST", fmt::format("{}/{}/service_accounts", kProjects, id), body);
    ASSERT_EQ(account->head.status, 200) << field;
    ASSERT_TRUE(governor_->Tick());
    const auto caller = governor_->Authenticate(
        account->Json().at("api_key").at("value").as_string(), "127.0.0.1:9", Right::kInfer);
    ASSERT_TRUE(caller.has_value()) << field;
    const ApiKey& key = (*caller)->key();
    EXPECT_EQ(key.role, Role::kMember) << field;
    EXPECT_EQ(key.organisation, organisation_) << field;
    EXPECT_EQ(fmt::format("proj_{}", key.project), id) << field;
    EXPECT_EQ(key.grade, Grade::kOpen) << field;
  }
}

// Every route of administration, asked by one organisation about what is another's: the same answer
// as about what is nowhere, nothing of it is told, and nothing of it changes.
TEST_P(AccessMatrixTest, NoOrganisationReachesIntoAnother) {
  constexpr std::string_view kMark = "남의것";
  const auto name = [&](const char* what) { return std::string(kMark) + what; };
  const int64_t other = admin_->AddOrganisation(name("청"), "KRW").value();
  const int64_t project = admin_->AddProject(other, name("과"), {}).value();
  NewKey wanted;
  wanted.project = project;
  wanted.name = name("키");
  wanted.service_account = admin_->AddServiceAccount(project, name("봇")).value();
  const MadeKey key = AddKey(wanted);
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kProject, project}, Window::kMonth, 1'000'000, true));
  const std::string administrator = KeyOf(Role::kAdministrator, organisation_).secret;
  ASSERT_TRUE(governor_->Tick());
  Ask(key.secret, "POST", "/v1/completions", kCompletion);
  server_->Say(0, "x");
  server_->End(0, 1);
  ASSERT_TRUE(governor_->Tick());
  const int64_t generation = governor_->directory()->generation;

  const std::string nowhere = "999999";
  const auto ask = [&](const std::string& method, std::string path, const std::string& project_id,
                       const std::string& key_id) {
    const auto put = [&](std::string_view place, const std::string& id) {
      const size_t at = path.find(place);
      if (at != std::string::npos) path.replace(at, place.size(), id);
    };
    put("{project}", project_id);
    put("{key}", key_id);
    return Ask(administrator, method, path, R"({"name":"x"})");
  };
  const std::string below[] = {"",
                               "/",
                               "/api_keys",
                               "/api_keys/key_{key}",
                               "/service_accounts",
                               "/service_accounts/svc_acct_1",
                               "/archive",
                               "/users",
                               "/rate_limits",
                               "/spend_limits",
                               "/spend_limits/month",
                               "/../proj_{project}/api_keys"};
  const std::string start = kProjects;
  int asked = 0;
  for (const Route& route : Routes()) {
    if (!route.path.starts_with("/v1/organization") || !route.path.ends_with('*')) continue;
    for (const std::string& rest : below) {
      const std::string method(route.method);
      const auto theirs = ask(method, start + "/proj_{project}" + rest, std::to_string(project),
                              std::to_string(key.id));
      const auto nothing = ask(method, start + "/proj_{project}" + rest, nowhere, nowhere);
      EXPECT_EQ(theirs->head.status, 404) << method << rest;
      EXPECT_EQ(theirs->head.body, nothing->head.body) << method << rest;
      // Another's key, through a project of one's own.
      const auto through =
          ask(method, fmt::format("{}/proj_{}/api_keys/key_{{key}}", start, project_), "",
              std::to_string(key.id));
      EXPECT_EQ(through->head.status, 404) << method;
      asked += 3;
    }
  }
  EXPECT_EQ(asked, 108);
  for (const Route& route : Routes()) {
    if (route.method != "GET" || !route.path.starts_with("/v1/organization")) continue;
    for (const std::string& query :
         {std::string("start_time=0&bucket_width=1d&limit=31&group_by=project_id"),
          fmt::format("start_time={}&bucket_width=1m&group_by=api_key_id&project_ids=proj_{}",
                      clock_.WallSeconds() / 60 * 60, project),
          fmt::format("limit=100&project_ids[]=proj_{}&actor_ids[]=key_{}", project, key.id)}) {
      const std::string path(route.path.substr(0, route.path.find('*')));
      const auto answer = Ask(administrator, "GET", path + "?" + query, "");
      const std::string& body = answer->head.body;
      EXPECT_EQ(body.find(kMark), std::string::npos) << path;
      EXPECT_EQ(body.find(fmt::format("\"proj_{}\"", project)), std::string::npos) << path;
      EXPECT_EQ(body.find(fmt::format("\"key_{}\"", key.id)), std::string::npos) << path;
      EXPECT_EQ(body.find(key.secret.substr(0, 13)), std::string::npos) << path;
    }
  }
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(governor_->directory()->generation, generation);  // nothing was changed
  EXPECT_TRUE(governor_->Authenticate(key.secret, "127.0.0.1:9", Right::kInfer).has_value());
}

}  // namespace
}  // namespace jikji
