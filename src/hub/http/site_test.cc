// The exchanges that real clients have with a hub (tests/hub/clients runs the clients themselves).
#include "hub/http/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <tuple>

#include "base/json.h"
#include "hub/accounts.h"
#include "hub/http/range.h"
#include "hub/http/signed_url.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

// Their pages would be others, so nobody could reach what is in them.
TEST(Site, WordsOfTheHubsAddressesAreNobodysNames) {
  TemporarySite site;
  for (const char* owner : {"api", "datasets", "Spaces", "v1", "v2", "login", "health"}) {
    EXPECT_EQ(site.Post("/api/repos/create",
                        std::string(R"({"name":"x","organization":")") + owner + R"("})")
                  .status,
              400)
        << owner;
  }
  site.Post("/api/repos/create", R"({"name":"alice/a"})");
  EXPECT_EQ(site.Post("/api/repos/move", R"({"fromRepo":"alice/a","toRepo":"v2/a"})").status, 400);
  auto session = site.hub().Connect();
  EXPECT_FALSE(AddAccount(**session, {"api", AccountRole::kWrite, {}}));
  EXPECT_FALSE(AddAccount(**session, {"bob", AccountRole::kWrite, {"datasets"}}));
}

TEST(Site, ADrawingIsShownAndRunsNothing) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/a"})");
  site.Commit("alice/a", "loss.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
  const net::Response drawing = site.Get("/alice/a/resolve/main/loss.svg");
  EXPECT_EQ(drawing.content_type, "image/svg+xml");
  EXPECT_THAT(FieldOf(drawing, "Content-Security-Policy"), HasSubstr("sandbox"));
  EXPECT_THAT(FieldOf(drawing, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
}

TEST(Site, ARepositoryFromCreateToDownload) {
  TemporarySite site;
  EXPECT_EQ(site.Post("/api/repos/create", R"({"name":"tiny","organization":"alice"})").status,
            200);
  EXPECT_EQ(site.Post("/api/repos/create", R"({"name":"alice/tiny"})").status, 409);

  const std::string weights = SmallWeights();
  const auto modes = site.PostJson("/api/models/alice/tiny/preupload/main",
                                   R"({"files":[{"path":"config.json","size":2,"sample":"e30="},)"
                                   R"({"path":"model.safetensors","size":100,"sample":"AAAA"}]})");
  EXPECT_EQ(modes.at("files").at(0).at("uploadMode"), "regular");
  EXPECT_EQ(modes.at("files").at(1).at("uploadMode"), "lfs");
  EXPECT_TRUE(modes.at("files").at(0).at("oid").is_null());

  const std::string oid = HexOf(Sha256Of(weights));
  const std::string object =
      R"({"oid":")" + oid + R"(","size":)" + std::to_string(weights.size()) + "}";
  const std::string batch =
      R"({"operation":"upload","transfers":["basic","multipart"],"objects":[)" + object + "]}";
  const auto actions = site.PostJson("/alice/tiny.git/info/lfs/objects/batch", batch);
  const std::string href(
      actions.at("objects").at(0).at("actions").at("upload").at("href").as_string());
  EXPECT_THAT(href, testing::StartsWith(site.url()));  // absolute, and with its own right
  // Without a token, as clients send it; the bytes that come must be those announced.
  EXPECT_EQ(site.Put(href, std::string(weights.size(), 'x')).status, 400);
  EXPECT_EQ(site.Put(href, weights + "x").status, 400);
  EXPECT_EQ(site.Put(href + "0", weights).status, 403);
  EXPECT_EQ(site.Put(href, weights).status, 200);
  EXPECT_EQ(site.Post("/alice/tiny.git/info/lfs/objects/verify", object).status, 200);
  // Now there is nothing to send.
  EXPECT_FALSE(site.PostJson("/alice/tiny.git/info/lfs/objects/batch", batch)
                   .at("objects")
                   .at(0)
                   .as_object()
                   .contains("actions"));

  const std::string lines =
      R"({"key":"header","value":{"summary":"first","description":""}})"
      "\n"
      R"({"key":"file","value":{"path":"config.json","content":"e30=","encoding":"base64"}})"
      "\n"
      R"({"key":"file","value":{"path":"한글/글.txt","content":"7ZWc","encoding":"base64"}})"
      "\n"
      R"({"key":"lfsFile","value":{"path":"model.safetensors","algo":"sha256","oid":")" +
      oid + R"(","size":)" + std::to_string(weights.size()) + "}}\n";
  const auto done = site.PostJson("/api/models/alice/tiny/commit/main", lines);
  const std::string commit(done.at("commitOid").as_string());

  const auto info = site.GetJson("/api/models/alice/tiny");
  EXPECT_EQ(info.at("sha"), json::value(commit));
  EXPECT_EQ(info.at("siblings").as_array().size(), 3u);
  // Nothing tells of Xet.
  EXPECT_EQ(json::serialize(info).find("xet"), std::string::npos);

  const auto head = site.Head("/alice/tiny/resolve/main/model.safetensors");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(FieldOf(head, "X-Repo-Commit"), commit);
  EXPECT_EQ(FieldOf(head, "ETag"), "\"" + oid + "\"");
  EXPECT_EQ(FieldOf(head, "X-Linked-Etag"), "\"" + oid + "\"");
  EXPECT_EQ(FieldOf(head, "X-Linked-Size"), std::to_string(weights.size()));
  EXPECT_EQ(FieldOf(head, "Content-Length"), std::to_string(weights.size()));
  EXPECT_EQ(FieldOf(head, "Accept-Ranges"), "bytes");
  EXPECT_EQ(FieldOf(head, "X-Xet-Hash"), "");
  EXPECT_EQ(site.Get("/alice/tiny/resolve/" + commit + "/model.safetensors").body, weights);
  EXPECT_EQ(FieldOf(site.Head("/alice/tiny/resolve/main/config.json"), "ETag"),
            "\"" + GitObjectId("blob", "{}") + "\"");
  EXPECT_EQ(site.Get("/alice/tiny/resolve/main/%ED%95%9C%EA%B8%80/%EA%B8%80.txt").body, "한");

  const auto part =
      site.Get("/alice/tiny/resolve/main/model.safetensors", {{"Range", "bytes=5-9"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, weights.substr(5, 5));
  EXPECT_EQ(FieldOf(part, "Content-Range"), "bytes 5-9/" + std::to_string(weights.size()));
  EXPECT_EQ(
      site.Get("/alice/tiny/resolve/main/model.safetensors", {{"Range", "bytes=99999-"}}).status,
      416);
  EXPECT_EQ(site.Get("/alice/tiny/resolve/main/config.json",
                     {{"If-None-Match", "\"" + GitObjectId("blob", "{}") + "\""}})
                .status,
            304);
  // A gone tip is told, and the branch is where it was.
  const std::string lost = R"({"key":"header","value":{"summary":"x","parentCommit":")" +
                           std::string(40, '0') + "\"}}\n";
  EXPECT_EQ(site.Post("/api/models/alice/tiny/commit/main", lost).status, 412);
}

TEST(Site, ErrorsAreWhatClientsKnowThemBy) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/tiny"})");
  const auto code = [&](const std::string& path) {
    const auto response = site.Get(path);
    EXPECT_EQ(response.status, 404) << path;
    return FieldOf(response, "X-Error-Code");
  };
  EXPECT_EQ(code("/api/models/alice/none"), "RepoNotFound");
  EXPECT_EQ(code("/alice/none/resolve/main/x"), "RepoNotFound");
  EXPECT_EQ(code("/api/models/alice/tiny/revision/none"), "RevisionNotFound");
  EXPECT_EQ(code("/alice/tiny/resolve/none/x"), "RevisionNotFound");
  EXPECT_EQ(code("/alice/tiny/resolve/main/none.json"), "EntryNotFound");
  EXPECT_EQ(code("/api/models/alice/tiny/tree/main/none"), "EntryNotFound");
  // The commit, so that the absence can be remembered.
  EXPECT_EQ(FieldOf(site.Get("/alice/tiny/resolve/main/none.json"), "X-Repo-Commit").size(), 40u);
  EXPECT_THAT(site.Get("/api/models/alice/none").body, HasSubstr("저장소"));
}

TEST(Site, RefsWithSlashesAreRevisions) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/tiny"})");
  site.Commit("alice/tiny", "a/b.txt", "one");
  EXPECT_EQ(site.Post("/api/models/alice/tiny/branch/feature%2Fx", "{}").status, 200);
  EXPECT_EQ(site.Post("/api/models/alice/tiny/branch/feature%2Fx", "{}").status, 409);
  EXPECT_EQ(site.Post("/api/models/alice/tiny/tag/main", R"({"tag":"v1","message":"m"})").status,
            200);
  site.Commit("alice/tiny", "a/b.txt", "two");
  EXPECT_EQ(site.Get("/alice/tiny/resolve/feature%2Fx/a/b.txt").body, "one");
  EXPECT_EQ(site.Get("/alice/tiny/resolve/refs%2Fheads%2Fmain/a/b.txt").body, "two");
  EXPECT_EQ(site.Get("/alice/tiny/resolve/v1/a/b.txt").body, "one");
  const auto refs = site.GetJson("/api/models/alice/tiny/refs");
  EXPECT_EQ(refs.at("branches").as_array().size(), 2u);
  EXPECT_EQ(refs.at("tags").at(0).at("ref"), "refs/tags/v1");
  EXPECT_EQ(site.GetJson("/api/models/alice/tiny/commits/main").as_array().size(), 3u);
}

TEST(Site, LargeTreesComeInPages) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/many"})");
  std::string lines = R"({"key":"header","value":{"summary":"many"}})"
                      "\n";
  for (int i = 0; i < 2500; ++i) {
    lines += R"({"key":"file","value":{"path":"d/)" + std::to_string(10000 + i) +
             R"(.txt","content":"eA==","encoding":"base64"}})"
             "\n";
  }
  EXPECT_EQ(site.Post("/api/models/alice/many/commit/main", lines).status, 200);
  std::set<std::string> seen;
  std::string next = site.url() + "/api/models/alice/many/tree/main?recursive=True&limit=700";
  int pages = 0;
  for (; !next.empty(); ++pages) {
    const auto page = site.GetUrl(next);
    const json::value entries = *ParseJson(page.body);
    for (const json::value& entry : entries.as_array()) {
      EXPECT_TRUE(seen.insert(std::string(entry.at("path").as_string())).second);
    }
    const std::string link(FieldOf(page, "Link"));
    next = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(pages, 4);
  EXPECT_EQ(seen.size(), 2501u);  // the folder too
  const auto info =
      site.PostJson("/api/models/alice/many/paths-info/main",
                    "paths=d/10001.txt&paths=d&paths=none", "application/x-www-form-urlencoded");
  EXPECT_EQ(info.as_array().size(), 2u);
}

TEST(Site, LargeFilesComeInParts) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/big"})");
  const std::string oid(64, 'a');
  const auto answer = site.PostJson(
      "/alice/big.git/info/lfs/objects/batch",
      R"({"operation":"upload","transfers":["basic","multipart"],"objects":[{"oid":")" + oid +
          R"(","size":1200000000},{"oid":")" + oid + R"(","size":60000000000}]})");
  EXPECT_EQ(answer.at("transfer"), "multipart");
  const auto& header =
      answer.at("objects").at(0).at("actions").at("upload").at("header").as_object();
  EXPECT_EQ(header.size(), 4u);  // chunk_size and three parts
  EXPECT_TRUE(header.contains("3"));
  // 60 GB are refused with the reason.
  EXPECT_THAT(json::serialize(answer.at("objects").at(1).at("error")), HasSubstr("50 GB"));
}

TEST(Site, PartsMakeABlobWhateverTheirOrder) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/parts"})");
  const std::string weights = SmallWeights();
  SignedUrl url;
  url.digest = Sha256Of(weights);
  url.size = weights.size();
  url.owner = "alice";
  url.upload = "0123456789abcdef";
  url.expires = NowSeconds() + 60;
  const size_t half = weights.size() / 2;
  for (const bool second : {true, false}) {
    url.action = "part";
    url.offset = second ? half : 0;
    url.length = second ? weights.size() - half : half;
    const auto sent = site.Put(FormatSignedUrl(site.url(), site.hub().secret(), url),
                               weights.substr(url.offset, url.length));
    EXPECT_EQ(sent.status, 200);
    EXPECT_NE(FieldOf(sent, "ETag"), "");
  }
  url.action = "complete";
  url.offset = url.length = 0;
  const std::string complete = FormatSignedUrl(site.url(), site.hub().secret(), url);
  EXPECT_EQ(site.PostUrl(complete, "{}").status, 200);
  EXPECT_TRUE(site.hub().blobs().OpenBlob(url.digest));
  url.expires = NowSeconds() - 1;
  EXPECT_EQ(site.Put(FormatSignedUrl(site.url(), site.hub().secret(), url), "x").status, 403);
}

TEST(Site, TheDoorRefuses) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/tiny"})");
  const auto refused = site.Commit("alice/tiny", "model.safetensors", "not safetensors");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("safetensors"));
  EXPECT_EQ(site.Commit("alice/tiny", "../x.txt", "x").status, 422);
  EXPECT_EQ(site.Commit("alice/tiny", "README.md", "---\nlicense: no\n---\n").status, 422);
  EXPECT_EQ(site.Post("/api/validate-yaml", R"({"content":"---\nlicense: no\n---\n"})").status,
            400);
  EXPECT_EQ(site.Post("/api/validate-yaml", R"({"content":"---\nlicense: mit\n---\n"})").status,
            200);
  EXPECT_EQ(site.Post("/api/models/alice/tiny/preupload/main",
                      R"({"files":[{"path":"a.pt","size":9,"sample":""}]})")
                .status,
            422);
  // A large file that nobody sent.
  EXPECT_EQ(site.Post("/api/models/alice/tiny/commit/main",
                      R"({"key":"header","value":{"summary":"x"}})"
                      "\n"
                      R"({"key":"lfsFile","value":{"path":"m.safetensors","oid":")" +
                          std::string(64, '1') + "\",\"size\":1}}\n")
                .status,
            400);
}

TEST(Site, LinesOfACommitThatContradictThemselvesAreRefused) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/a"})");
  const auto commit = [&](const std::string& summary, const std::string& file) {
    return site
        .Post("/api/models/alice/a/commit/main",
              R"({"key":"header","value":{"summary":")" + summary + "\"}}\n" + file + "\n")
        .status;
  };
  const std::string plain = R"({"key":"file","value":{"path":"a.txt","content":"a"}})";
  EXPECT_EQ(commit("x", plain), 200);
  EXPECT_EQ(commit(std::string(5000, 'x'), plain), 400);
  EXPECT_EQ(
      commit("x", R"({"key":"file","value":{"path":"b.txt","content":"a","encoding":"rot13"}})"),
      400);
  const auto large = [&](const char* size) {
    return commit("x", R"({"key":"lfsFile","value":{"path":"c.txt","oid":")" +
                           HexOf(Sha256Of("a")) + "\",\"size\":" + size + "}}");
  };
  EXPECT_EQ(large("2"), 400);
  EXPECT_EQ(large("-1"), 400);
  EXPECT_EQ(large("1"), 200);
}

TEST(Site, ADamagedFileIsNeverServedAsWhole) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/a"})");
  site.Commit("alice/a", "cut.txt", "the whole text");
  site.Commit("alice/a", "other.txt", "the right text");
  const auto damage = [&](const std::string& text, const std::string& into) {
    const auto path = site.hub().blobs().PathOf(Sha256Of(text));
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << into;
  };
  damage("the whole text", "the whole");
  damage("the right text", "the wrong text");
  EXPECT_EQ(site.Get("/alice/a/resolve/main/cut.txt").status, 500);
  EXPECT_EQ(site.Get("/alice/a/resolve/main/cut.txt", {{"Range", "bytes=9-"}}).status, 500);
  // Pieces of wrong bytes would be believed by every pull from then on.
  EXPECT_EQ(site.Get("/api/models/alice/a/pieces/main/other.txt").status, 500);
}

TEST(Site, PagesOfOtherSitesChangeNothing) {
  TemporarySite site;
  const std::string body = R"({"name":"m","organization":"team"})";
  for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1:1"}) {
    EXPECT_EQ(site.Request("POST", "/api/repos/create", body, {{"Origin", origin}}).status, 403)
        << origin;
  }
  EXPECT_EQ(site.Get("/api/models/team/m").status, 404);
  EXPECT_EQ(site.Request("POST", "/api/repos/create", body, {{"Origin", site.url()}}).status, 200);
  // What only reads may be asked for by anyone; browsers keep the answer from such pages.
  EXPECT_EQ(site.Get("/api/models/team/m", {{"Origin", "http://evil.example"}}).status, 200);
}

TEST(Site, WhileNothingCanBeRecordedNothingMoreIsChanged) {
  std::mutex mutex;
  bool away = false;
  std::vector<std::string> record;
  TemporarySite site([&](const Act& act) -> Result<> {
    const std::lock_guard lock(mutex);
    if (away) return Fail(ErrorCode::kUnavailable, "the store is away");
    record.push_back(act.event + " " + act.repository);
    return {};
  });
  const auto create = [&](const std::string& name) {
    return site.Post("/api/repos/create", R"({"name":"alice/)" + name + R"("})").status;
  };
  EXPECT_EQ(create("one"), 200);
  EXPECT_EQ(create("one"), 409);  // changes nothing
  {
    const std::lock_guard lock(mutex);
    away = true;
  }
  EXPECT_EQ(create("two"), 503);  // it is made, and this is how its caller hears of it
  EXPECT_EQ(create("three"), 503);
  EXPECT_EQ(site.Get("/api/models/alice/two").status, 200);
  EXPECT_EQ(site.Get("/api/models/alice/three").status, 404);
  {
    const std::lock_guard lock(mutex);
    away = false;
  }
  EXPECT_EQ(site.Commit("alice/one", "a.txt", "a").status, 200);
  EXPECT_EQ(record, (std::vector<std::string>{"hub_repository.created alice/one",
                                              "hub_repository.created alice/two",
                                              "hub_commit.made alice/one"}));
}

TEST(Site, WhoMayDoWhat) {
  TemporarySite site;
  const std::string alice = site.AddAccount("alice", AccountRole::kWrite);
  const std::string bob = site.AddAccount("bob", AccountRole::kWrite);
  const std::string reader = site.AddAccount("reader", AccountRole::kRead);
  EXPECT_EQ(site.Post("/api/repos/create", R"({"name":"alice/x"})").status, 401);
  site.UseToken("hf_wrong");
  EXPECT_EQ(site.Get("/api/whoami-v2").status, 401);
  site.UseToken(bob);
  EXPECT_EQ(site.Post("/api/repos/create", R"({"name":"alice/x"})").status, 403);
  site.UseToken(reader);
  EXPECT_EQ(site.Post("/api/repos/create", R"({"name":"reader/x"})").status, 403);
  site.UseToken(alice);
  EXPECT_THAT(site.Get("/api/whoami-v2").body, HasSubstr("alice"));
  EXPECT_EQ(site.Post("/api/repos/create", R"({"name":"alice/x","private":true})").status, 200);
  EXPECT_EQ(site.Commit("alice/x", "a.txt", "secret").status, 200);
  EXPECT_THAT(site.Get("/api/models").body, HasSubstr("alice/x"));

  // To others a private repository is not there, whatever they ask.
  for (const std::string& token : {bob, reader, std::string()}) {
    site.UseToken(token);
    for (const char* path : {"/api/models/alice/x", "/alice/x/resolve/main/a.txt",
                             "/api/models/alice/x/tree/main", "/api/models/alice/x/refs"}) {
      EXPECT_EQ(site.Get(path).status, 404) << path;
    }
    EXPECT_EQ(site.Get("/api/models").body, "[]");
    EXPECT_EQ(site.Commit("alice/x", "b.txt", "x").status, 404);
  }
  // A gated one is seen, and read by whoever was let in.
  site.UseToken(alice);
  EXPECT_EQ(
      site.Request("PUT", "/api/models/alice/x/settings", R"({"private":false,"gated":"manual"})")
          .status,
      200);
  site.UseToken(bob);
  EXPECT_EQ(site.Get("/api/models/alice/x").status, 200);
  const auto gated = site.Get("/alice/x/resolve/main/a.txt");
  EXPECT_EQ(gated.status, 403);
  EXPECT_EQ(FieldOf(gated, "X-Error-Code"), "GatedRepo");
  EXPECT_EQ(site.Post("/alice/x/ask-access", "{}").status, 200);
  EXPECT_EQ(site.Get("/alice/x/resolve/main/a.txt").status, 403);
  EXPECT_EQ(site.Commit("alice/x", "b.txt", "x").status, 403);
  site.UseToken(alice);
  EXPECT_THAT(site.Get("/api/models/alice/x/user-access-request/pending").body, HasSubstr("bob"));
  EXPECT_EQ(site.Post("/api/models/alice/x/user-access-request/handle",
                      R"({"user":"bob","status":"accepted"})")
                .status,
            200);
  site.UseToken(bob);
  EXPECT_EQ(site.Get("/alice/x/resolve/main/a.txt").body, "secret");
}

TEST(Site, RepositoriesAreMovedAndDeleted) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/a"})");
  site.Post("/api/repos/create", R"({"name":"alice/b"})");
  EXPECT_EQ(site.Post("/api/repos/move", R"({"fromRepo":"alice/a","toRepo":"alice/b"})").status,
            409);
  EXPECT_EQ(site.Post("/api/repos/move", R"({"fromRepo":"alice/a","toRepo":"team/c"})").status,
            200);
  EXPECT_EQ(site.Get("/api/models/alice/a").status, 404);
  EXPECT_EQ(site.Get("/api/models/team/c").status, 200);
  EXPECT_EQ(site.GetJson("/api/models?search=C&author=team").as_array().size(), 1u);
  EXPECT_EQ(site.GetJson("/api/models?limit=1").as_array().size(), 1u);
  EXPECT_EQ(
      site.Request("DELETE", "/api/repos/delete", R"({"name":"c","organization":"team"})").status,
      200);
  EXPECT_EQ(site.Get("/api/models/team/c").status, 404);
}

TEST(Site, NumbersOfAQueryAreNumbers) {
  TemporarySite site;
  site.Post("/api/repos/create", R"({"name":"alice/a"})");
  for (const std::string path :
       {"/api/models?limit=", "/api/models/alice/a/tree/main?limit=",
        "/api/models/alice/a/commits/main?limit=", "/api/models/alice/a/commits/main?p="}) {
    for (const std::string wrong : {"abc", "-1", "1x", "1.5", "%201"}) {
      const net::Response answer = site.Get(path + wrong);
      EXPECT_EQ(answer.status, 400) << path << wrong;
      const std::string field = path.ends_with("p=") ? "`p`" : "`limit`";
      EXPECT_NE(answer.body.find(field), std::string::npos) << answer.body;
    }
    // More than there can be is all there is; none is a page of the usual size.
    for (const std::string right : {"", "1", "99999999999999999999999"}) {
      EXPECT_EQ(site.Get(path + right).status, 200) << path << right;
    }
  }
}

TEST(Range, OneRangeOrAll) {
  using Kind = RangeRequest::Kind;
  const auto parse = [](std::string_view text) {
    const RangeRequest range = ParseRange(text, 100);
    return std::tuple(range.kind, range.begin, range.end);
  };
  EXPECT_EQ(parse("bytes=0-"), std::tuple(Kind::kPart, 0u, 100u));
  EXPECT_EQ(parse("bytes=10-19"), std::tuple(Kind::kPart, 10u, 20u));
  EXPECT_EQ(parse("bytes=90-500"), std::tuple(Kind::kPart, 90u, 100u));
  EXPECT_EQ(parse("bytes=90-99999999999999999999"), std::tuple(Kind::kPart, 90u, 100u));
  EXPECT_EQ(parse("bytes=-7"), std::tuple(Kind::kPart, 93u, 100u));
  EXPECT_EQ(parse("bytes=-700"), std::tuple(Kind::kPart, 0u, 100u));
  for (const char* bad : {"bytes=100-", "bytes=-0", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(ParseRange(bad, 100).kind, Kind::kUnsatisfiable) << bad;
  }
  for (const char* all : {"", "bytes=", "bytes=-", "bytes=a-", "bytes=5-4", "bytes=0-1,3-4",
                          "items=0-1", "bytes=1"}) {
    EXPECT_EQ(ParseRange(all, 100).kind, Kind::kWhole) << all;
  }
}

}  // namespace
}  // namespace jikji::hub
