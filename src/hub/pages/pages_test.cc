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
