#include "app/hub_mount.h"

#include <gtest/gtest.h>

#include "api/route_table.h"
#include "govern/tenancy/acts.h"
#include "govern/testing/site.h"
#include "hub/testing/temporary_hub.h"
#include "net/client.h"

namespace jikji {
namespace {

TEST(HubPaths, WhatIsTheApisStaysTheApis) {
  for (const Route& route : Routes()) {
    std::string path(route.path);
    if (path.ends_with('*')) path.replace(path.size() - 1, 1, "a/b");
    EXPECT_FALSE(IsHubPath(path)) << path;
  }
  for (const char* path : {"/", "/chat.js", "/v1/unknown", "/login/x", ""}) {
    EXPECT_FALSE(IsHubPath(path)) << path;
  }
  for (const char* path : {"/models", "/sign-in", "/api/models", "/api/whoami-v2", "/team/model",
                           "/team/model/resolve/main/config.json", "/v2/"}) {
    EXPECT_TRUE(IsHubPath(path)) << path;
  }
}

// A server whose API says "api" to everything, with a hub mounted.
class Mounted {
 public:
  explicit Mounted(Governor* governor, const std::vector<std::string>& keys = {}) {
    auto mount = HubMount::Open(hub_.root(), governor, keys);
    EXPECT_TRUE(mount);
    mount_ = *std::move(mount);
    net::ServerOptions options;
    options.port = 0;
    options.max_body_bytes = 100;
    mount_->Configure(options);
    auto server = net::Server::Start(
        options, mount_->Beside([](net::Request, std::shared_ptr<net::Responder> responder) {
          responder->Send({.headers = {}, .body = "api"});
        }));
    EXPECT_TRUE(server);
    server_ = *std::move(server);
  }

  net::Response Ask(const std::string& method, const std::string& path, const std::string& token,
                    const std::string& body = {}) {
    net::ClientRequest request{
        method, "http://127.0.0.1:" + std::to_string(server_->port()) + path, {}, body};
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    auto answer = net::Fetch(request);
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().ToString());
    return answer.value_or(net::Response{.status = 0, .headers = {}, .body = {}});
  }
  net::Response AskWithCookie(const std::string& path, const std::string& cookie) {
    auto answer = net::Fetch({"GET",
                              "http://127.0.0.1:" + std::to_string(server_->port()) + path,
                              {{"Cookie", cookie}},
                              {}});
    EXPECT_TRUE(answer);
    return answer.value_or(net::Response{.status = 0, .headers = {}, .body = {}});
  }
  int Create(const std::string& token, const std::string& owner, bool is_private = false) {
    return Ask("POST", "/api/repos/create", token,
               R"({"name":"m","organization":")" + owner + R"(","private":)" +
                   (is_private ? "true" : "false") + "}")
        .status;
  }

 private:
  hub::TemporaryHub hub_;
  std::unique_ptr<HubMount> mount_;
  std::unique_ptr<net::Server> server_;
};

TEST(MountedHub, AnswersBesideTheApiAndKeepsItsLimit) {
  Mounted server(nullptr, {"secret"});
  EXPECT_EQ(server.Ask("GET", "/v1/models", "").body, "api");
  EXPECT_EQ(server.Ask("POST", "/v1/chat/completions", "", std::string(101, 'x')).status, 413);
  // The hub's bodies may be longer, and an anonymous caller only reads.
  EXPECT_EQ(server.Create("secret", "team" + std::string(), false), 200);
  EXPECT_EQ(server.Ask("POST", "/api/validate-yaml", "secret", std::string(1000, ' ')).status, 400);
  EXPECT_EQ(server.Create("", "other"), 401);
  EXPECT_EQ(server.Create("wrong", "other"), 401);
  EXPECT_EQ(server.Ask("GET", "/api/models/team/m", "").status, 200);
}

class MountedUnderGovernance : public Site {};
INSTANTIATE_TEST_SUITE_P(Stores, MountedUnderGovernance, kEachStore, StoreName);

TEST_P(MountedUnderGovernance, KeysOpenTheHubAsTheirRolesSay) {
  const auto other = admin_->AddOrganisation("other", "KRW");
  ASSERT_TRUE(other);
  const auto key = [&](Role role, int64_t organisation) {
    NewKey wanted;
    wanted.organisation = organisation;
    wanted.role = role;
    wanted.shape = KeyShape::kHub;
    return AddKey(wanted);
  };
  const MadeKey publisher = key(Role::kAdministrator, organisation_);
  const MadeKey member = key(Role::kMember, organisation_);
  const MadeKey stranger = key(Role::kAdministrator, *other);
  const auto governor = Open();
  ASSERT_NE(governor, nullptr);
  Mounted server(governor.get());
  const std::string own = "org-" + std::to_string(organisation_);

  EXPECT_EQ(server.Create(publisher.secret, own, true), 200);
  EXPECT_EQ(server.Create(member.secret, own), 403);
  EXPECT_EQ(server.Create(stranger.secret, own), 403);
  EXPECT_EQ(server.Create("", own), 401);
  // What is private is there for its organisation alone.
  const std::string path = "/api/models/" + own + "/m";
  EXPECT_EQ(server.Ask("GET", path, publisher.secret).status, 200);
  EXPECT_EQ(server.Ask("GET", path, member.secret).status, 200);
  EXPECT_EQ(server.Ask("GET", path, stranger.secret).status, 404);
  EXPECT_EQ(server.Ask("GET", path, "").status, 404);
  // A cookie is a key as well, and no other word is.
  const auto by_cookie = [&](const std::string& token) {
    return server.AskWithCookie(path, "jikji_token=" + token).status;
  };
  EXPECT_EQ(by_cookie(member.secret), 200);
  EXPECT_EQ(by_cookie(stranger.secret), 404);
  EXPECT_EQ(by_cookie("anything"), 404);
  EXPECT_EQ(server.Ask("POST", path + "/branch/new", publisher.secret, "{}").status, 200);
  EXPECT_EQ(server.Ask("POST", path + "/branch/new", publisher.secret, "{}").status, 409);
  EXPECT_EQ(server.Ask("PUT", path + "/settings", publisher.secret, R"({"private":false})").status,
            200);
  EXPECT_EQ(server.Ask("POST", path + "/tag/main", member.secret, R"({"tag":"v1"})").status, 403);
  EXPECT_EQ(server
                .Ask("DELETE", "/api/repos/delete", publisher.secret,
                     R"({"name":"m","organization":")" + own + R"("})")
                .status,
            200);
  // Each change, and no refusal, is an act of its organisation.
  const auto acts = ReadActs(*database_, {.organisation = organisation_});
  ASSERT_TRUE(acts);
  std::vector<std::string> seen;
  for (const WrittenAct& act : *acts) {
    if (!act.event.starts_with("hub_")) continue;
    seen.push_back(act.event);
    EXPECT_EQ(act.actor, "key_" + std::to_string(publisher.id));
    EXPECT_EQ(act.target, own + "/m");
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"hub_repository.created", "hub_branch.created",
                                            "hub_repository.updated", "hub_repository.deleted"}));
  // A key that is revoked opens nothing.
  ASSERT_TRUE(admin_->RevokeKey(publisher.id));
  ASSERT_TRUE(governor->Refresh());
  EXPECT_EQ(server.Ask("GET", path, publisher.secret).status, 401);
}

}  // namespace
}  // namespace jikji
