// The pages as a browser gets them; tests/e2e/hub.test.js looks at them in one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Pages, ListSearchAndModel) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/base"})");
  site.Post("/api/repos/create", R"({"name":"alice/child"})");
  EXPECT_EQ(
      site.Commit("alice/child", "README.md",
                  "---\nlicense: mit\nbase_model: alice/base\n---\n# 소개\n<script>x</script>")
          .status,
      200);
  const std::string list = site.Get("/models").body;
  EXPECT_THAT(list, HasSubstr("href=\"/alice/base\""));
  EXPECT_THAT(list, HasSubstr("mit"));
  EXPECT_THAT(site.Get("/models?search=chi").body, Not(HasSubstr("alice/base")));
  EXPECT_THAT(site.Get("/models?limit=1").body, HasSubstr("cursor=alice%2Fbase"));
  EXPECT_THAT(site.Get("/models?search=%22%3E%3Cscript%3E").body, Not(HasSubstr("<script")));

  const net::Response page = site.Get("/alice/child", {{"Accept-Language", "ko-KR,ko"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(FieldOf(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page.body, HasSubstr("<h2>소개</h2>"));
  EXPECT_THAT(page.body, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(page.body, HasSubstr("<a href=\"/alice/base\">"));
  EXPECT_THAT(page.body, HasSubstr("라이선스: mit"));
  EXPECT_THAT(page.body, HasSubstr("jikji hub pull alice/child"));
  EXPECT_THAT(page.body, HasSubstr("add README.md"));
  EXPECT_THAT(site.Get("/alice/child?lang=en").body, HasSubstr("licence: mit"));
  EXPECT_EQ(site.Get("/alice/child/tree/main").status, 200);
  EXPECT_EQ(site.Get("/alice/child/tree/none").status, 404);
  EXPECT_EQ(site.Get("/alice/none").status, 404);
}

TEST(Pages, ScoresOfAReport) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/m"})");
  EXPECT_THAT(site.Get("/alice/m").body, Not(HasSubstr("Scores")));
  EXPECT_EQ(site.Commit("alice/m", "jikji-eval.json",
                        R"({"models":[{"name":"m","scores":{"kobest<b>":
            {"value":0.5125,"low":0.49,"high":0.5349,"items":1404},"odd":7},
            "text":{"perplexity":86.96,"standard_error":2}}]})")
                .status,
            200);
  const std::string page = site.Get("/alice/m").body;
  EXPECT_THAT(page, HasSubstr("Scores"));
  EXPECT_THAT(page, HasSubstr("<td>kobest&lt;b&gt;</td><td>0.512</td>"));
  EXPECT_THAT(page, HasSubstr("0.490 – 0.535"));
  EXPECT_THAT(page, HasSubstr("1404"));
  EXPECT_THAT(page, HasSubstr("86.960"));
  EXPECT_THAT(site.Get("/alice/m?lang=ko").body, HasSubstr("보고서에 적힌 점수"));
  for (const char* odd : {"[]", R"({"models":[7]})", R"({"models":[{"scores":[]}]})"}) {
    EXPECT_EQ(site.Commit("alice/m", "jikji-eval.json", odd).status, 200);
    EXPECT_THAT(site.Get("/alice/m").body, Not(HasSubstr("Scores"))) << odd;
  }
}

TEST(Pages, ARefusalIsAPageForAPersonAndJsonForAProgram) {
  TemporarySite site;
  const std::string alice = site.AddAccount("alice", AccountRole::kWrite);
  site.UseToken(alice);
  site.Post("/api/repos/create", R"({"name":"alice/secret","private":true})");
  site.UseToken("");
  const net::Headers browser = {{"Accept", "text/html,*/*"}, {"Accept-Language", "ko"}};
  for (const char* path : {"/alice/secret", "/alice/<b>", "/alice/secret/resolve/main/a.txt"}) {
    const net::Response page = site.Get(path, browser);
    EXPECT_EQ(page.status, 404) << path;
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8") << path;
    EXPECT_THAT(page.body, HasSubstr("여기에 없습니다")) << path;
    EXPECT_THAT(page.body, HasSubstr("/sign-in?to=")) << path;
    EXPECT_THAT(page.body, Not(HasSubstr("<b>"))) << path;
    EXPECT_EQ(FieldOf(page, "X-Error-Code"), "RepoNotFound") << path;
    EXPECT_THAT(site.Get(path).body, HasSubstr("\"error_ko\"")) << path;
  }
  EXPECT_THAT(site.Get("/api/models/alice/secret", browser).body, HasSubstr("\"error_ko\""));
}

TEST(Pages, SigningInShowsWhatATokenMaySee) {
  TemporarySite site;
  const std::string alice = site.AddAccount("alice", AccountRole::kWrite);
  const std::string bob = site.AddAccount("bob", AccountRole::kRead);
  site.UseToken(alice);
  site.Post("/api/repos/create", R"({"name":"alice/secret","private":true})");
  site.Post("/api/repos/create", R"({"name":"alice/gated"})");
  site.Commit("alice/gated", "a.txt", "inside");
  site.Request("PUT", "/api/models/alice/gated/settings", R"({"gated":"manual"})");
  site.UseToken("");
  EXPECT_THAT(site.Get("/alice/gated").body, HasSubstr("/sign-in?to=%2Falice%2Fgated"));

  const auto wrong = site.Post("/sign-in", "token=hf_wrong&to=/alice/gated");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(wrong.body, HasSubstr("not one of this hub"));
  const auto signed_in = site.Post("/sign-in", "token=" + bob + "&to=/alice/gated");
  EXPECT_EQ(signed_in.status, 303);
  EXPECT_EQ(FieldOf(signed_in, "Location"), "/alice/gated");
  const std::string set = FieldOf(signed_in, "Set-Cookie");
  EXPECT_THAT(set, HasSubstr("HttpOnly"));
  EXPECT_THAT(set, HasSubstr("SameSite=Strict"));
  const net::Headers cookie = {{"Cookie", "jikji_lang=en; " + set.substr(0, set.find(';'))}};
  EXPECT_THAT(site.Get("/alice/gated", cookie).body, HasSubstr("/alice/gated/ask-access"));
  EXPECT_THAT(site.Get("/alice/gated", cookie).body, HasSubstr("Sign out"));
  EXPECT_EQ(site.Get("/alice/gated/resolve/main/a.txt", cookie).status, 403);
  EXPECT_EQ(site.Request("POST", "/alice/gated/ask-access", "", cookie).status, 303);
  EXPECT_THAT(site.Get("/alice/gated", cookie).body, HasSubstr("its owner decides"));
  EXPECT_EQ(site.Get("/alice/secret", cookie).status, 404);
  // A cookie reads; it changes nothing else.
  const net::Headers owner = {{"Cookie", "jikji_token=" + alice}};
  EXPECT_EQ(site.Get("/alice/secret", owner).status, 200);
  EXPECT_EQ(site.Request("POST", "/api/repos/create", R"({"name":"alice/x"})", owner).status, 401);
  EXPECT_EQ(site.Request("POST", "/api/models/alice/gated/user-access-request/handle",
                         R"({"user":"bob"})", owner)
                .status,
            401);
  EXPECT_EQ(site.Get("/models", {{"Cookie", "jikji_token=hf_gone"}}).status, 200);
  // Nowhere else than here afterwards.
  for (const char* to : {"https://elsewhere.example", "//elsewhere.example", "/%5Celsewhere"}) {
    EXPECT_EQ(FieldOf(site.Post("/sign-in", "token=" + bob + "&to=" + to), "Location"), "/models");
  }
  EXPECT_THAT(FieldOf(site.Post("/sign-out", ""), "Set-Cookie"), HasSubstr("Max-Age=0"));
}

TEST(Pages, APrivateModelIsNotThereForOthers) {
  TemporarySite site;
  site.UseToken(site.AddAccount("alice", AccountRole::kWrite));
  site.Post("/api/repos/create", R"({"name":"alice/secret","private":true})");
  EXPECT_THAT(site.Get("/models").body, HasSubstr("alice/secret"));
  site.Post("/api/repos/create", R"({"name":"alice/open"})");
  EXPECT_EQ(site.Commit("alice/open", "README.md", "---\nbase_model: alice/secret\n---\nx").status,
            200);
  site.UseToken("");
  EXPECT_THAT(site.Get("/models").body, Not(HasSubstr("alice/secret")));
  EXPECT_EQ(site.Get("/alice/secret").status, 404);
  EXPECT_THAT(site.Get("/alice/open").body, Not(HasSubstr("href=\"/alice/secret\"")));
}

}  // namespace
}  // namespace jikji::hub
